"""What a figure was measured on: without it no figure says anything."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("attendance-kiosk", "facenet-pytorch", "numpy", "opencv-python-headless", "openvino", "redis", "torch")


def describe(device: str) -> dict[str, Any]:
    """Processor, cores, memory, load, system, versions; the accelerator when it was asked for."""
    return {
        "machine": {
            "cpu": cpu_model(),
            "cores": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "os": system(),
            "load_average": [round(value, 2) for value in os.getloadavg()],
            "accelerator": accelerator() if device == "cuda" else None,
        },
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def system() -> str:
    """Such as `Debian GNU/Linux 12 (bookworm), Linux 6.1`."""
    kernel = f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"
    try:
        return f"{platform.freedesktop_os_release().get('PRETTY_NAME', '')}, {kernel}".lstrip(", ")
    except OSError:
        return kernel


def accelerator() -> str:
    import torch

    return torch.cuda.get_device_name()


def version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
