"""What a run ran on, for its report: processor, memory, GPU, versions."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

PACKAGES = ("torch", "torchvision", "timm", "pytorch-metric-learning", "facenet-pytorch", "numpy", "scikit-learn")


def described(device: torch.device, world: int) -> dict[str, str]:
    """Name → words; what can't be found out is left out."""
    found = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "device": str(device) if device.type == "cpu" else f"{device} ({torch.cuda.get_device_name(device)})",
        "processes": str(world),
        "torch threads": str(torch.get_num_threads()),
        "system": platform.platform(),
        "Python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    if torch.version.cuda and device.type == "cuda":
        found["CUDA"] = torch.version.cuda
    return {name: words for name, words in found.items() if words}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"
    except (ValueError, OSError, AttributeError):
        return ""
