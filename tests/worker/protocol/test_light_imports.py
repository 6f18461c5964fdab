"""Kiosk and dashboard install in seconds: the protocol must work where torch and OpenCV aren't there."""

import pkgutil
import subprocess
import sys

import worker.protocol

BLOCKED = ["torch", "torchvision", "cv2", "openvino", "onnx", "facenet_pytorch", "safetensors", "PIL"]


def test_the_protocol_imports_without_torch_and_opencv() -> None:
    modules = [f"worker.protocol.{found.name}" for found in pkgutil.iter_modules(worker.protocol.__path__)]
    assert "worker.protocol.entries" in modules
    program = f"import sys, importlib\nfor name in {BLOCKED}: sys.modules[name] = None\n"
    program += f"for name in {modules} + ['worker.settings']: importlib.import_module(name)\n"
    program += "print('fine')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "fine", done.stderr
