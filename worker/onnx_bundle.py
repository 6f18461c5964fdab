"""A bundle whose network is an ONNX file: an ArcFace-type model that a site with a licence brings.

The file comes from anywhere, so nothing of it is trusted: it must be the one that model.json names, hold all its weights
itself (a file beside it would be outside the hash), and take and give what model.json says.
"""

from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from worker.openvino_cpu import CpuNetwork
from worker.protocol.bundle import INFO, ONNX, BadBundle, ModelInfo, verify

AGAIN = "export the network again with one input (n, 3, px, px) and one output (n, numbers)"


def load(folder: Path, threads: int) -> tuple[ModelInfo, CpuNetwork]:
    """Metadata and network of an ONNX bundle, run once; raises BadBundle saying what is wrong and the way out."""
    info = verify(folder)
    if info.architecture != "onnx":
        raise BadBundle(f"{folder / INFO}: architecture {info.architecture!r} isn't an ONNX bundle")
    assert info.input_px is not None
    return info, open_network(folder / ONNX, info.input_px, threads, info.embedding_size)[0]


def open_network(
    path: Path, px: int, threads: int, size: int | None = None, said_by: str = "model.json"
) -> tuple[CpuNetwork, int]:
    """A network that was run once, and how many numbers it gives for a face; raises BadBundle.

    `size` None takes as many as it gives. `said_by` names, for errors, where `px` and `size` come from.
    """
    _check_graph(path, px, size, said_by)
    try:
        network = CpuNetwork(path, [-1, 3, px, px], threads)
        # Two faces: a network that folds the batch into one answer would pass with one.
        answer = network(np.random.default_rng(0).uniform(-1, 1, (2, 3, px, px)).astype(np.float32))
    except (RuntimeError, ValueError) as error:  # OpenVINO's own words run over several lines
        raise BadBundle(f"{path}: can't be run by OpenVINO ({' '.join(str(error).split())[-200:]}); {AGAIN}") from None
    if size is None and (answer.ndim != 2 or len(answer) != 2):
        raise BadBundle(f"{path}: gives {list(answer.shape)} for two faces; {AGAIN}")
    if size is not None and answer.shape != (2, size):
        raise BadBundle(
            f"{path}: gives {list(answer.shape)} for two faces, but {said_by} says embedding_size {size}; "
            f"correct {said_by}, or {AGAIN}"
        )
    if not np.isfinite(answer).all():
        raise BadBundle(f"{path}: answers with NaN or infinite numbers; its weights are damaged: get the file again")
    return network, answer.shape[1]


def _check_graph(path: Path, px: int, size: int | None, said_by: str) -> None:
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, OSError, ValueError) as error:
        raise BadBundle(f"{path}: isn't an ONNX file ({' '.join(str(error).split())[:100]}); get it again") from None
    graph = model.graph
    outside = [one.name for one in _tensors(graph) if one.data_location == onnx.TensorProto.EXTERNAL]
    if outside:
        raise BadBundle(
            f"{path}: keeps weights in another file ({outside[0][:60]}), which no hash covers; "
            "save it as one file (onnx.save of the loaded model)"
        )
    constants = {one.name for one in graph.initializer}
    inputs = [one for one in graph.input if one.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise BadBundle(f"{path}: {len(inputs)} inputs and {len(graph.output)} outputs; {AGAIN}")
    for what, found, wanted in (
        ("takes", _shape(inputs[0]), (None, 3, px, px)),
        ("gives", _shape(graph.output[0]), (None, size)),
    ):
        if found and not _fits(found, wanted):
            expected = "×".join("n" if one is None else str(one) for one in wanted)
            raise BadBundle(
                f"{path}: {what} {'×'.join(str(one or 'n') for one in found)}, but {said_by} says {expected}; "
                f"correct input_px or embedding_size there, or {AGAIN}"
            )


def _tensors(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    """Weights and constants, those of branches and loops too."""
    found = list(graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            found += [attribute.t, *attribute.tensors] if attribute.HasField("t") else list(attribute.tensors)
            for inner in [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs:
                found += _tensors(inner)
    return found


def _shape(value: onnx.ValueInfoProto) -> list[int | None]:
    """None stands for an open dimension; empty where the file says nothing."""
    shape = value.type.tensor_type.shape
    return [dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in shape.dim]


def _fits(found: list[int | None], wanted: tuple[int | None, ...]) -> bool:
    pairs = zip(found, wanted, strict=False)
    return len(found) == len(wanted) and all(a is None or b is None or a == b for a, b in pairs)
