"""facenet-pytorch's InceptionResnetV1 with the weights that its authors publish, as ONNX.

The weights are a pickle from the network. It is read as tensors alone (torch's weights_only), no code of it ever runs, and
only a table that has exactly the network's tensors, by name and shape, is taken.
"""

import zipfile
from pathlib import Path

import torch
from facenet_pytorch import InceptionResnetV1
from facenet_pytorch.models import inception_resnet_v1
from torch import Tensor, nn

from training.adopt import Form
from training.export_run import write_onnx

NAME = "vggface2"
PEOPLE = 8631
"""Of VGGFace2's training part: the published weights still have the layer that named them."""
FORM = Form(input_px=160, crop="mtcnn-margin", channels="RGB", mean=(127.5,), std=(128.0,))
"""Source: facenet-pytorch's fixed_image_standardization."""
NUMBERS = 512
MOST_BYTES = 200_000_000
"""The published file has 112 MB: 28 million float32 numbers."""


class BadWeights(ValueError):
    """A file that isn't this network's weights; the message says why."""


def published_at() -> str:
    """The address that the installed facenet-pytorch itself would load from; raises BadWeights where it names none.

    The package has it only as a constant inside the function that would also read the file, as a pickle whose code runs.
    """
    constants = inception_resnet_v1.load_weights.__code__.co_consts
    found = [one for one in constants if isinstance(one, str) and one.startswith("https://") and f"-{NAME}." in one]
    if len(found) != 1:
        raise BadWeights("the installed facenet-pytorch names no address of its weights; give --url")
    return str(found[0])


def read_network(path: Path) -> InceptionResnetV1:
    """The network with the weights of a file, ready to embed (512 numbers of length 1); raises BadWeights."""
    network = InceptionResnetV1(pretrained=None)
    network.logits = nn.Linear(NUMBERS, PEOPLE)
    try:
        network.load_state_dict(_tensors(path), strict=True)
    except RuntimeError as error:
        raise BadWeights(
            f"{path}: isn't InceptionResnetV1's weights ({' '.join(str(error).split())[:200]}); nothing was kept"
        ) from None
    if not all(torch.isfinite(one).all() for one in network.state_dict().values()):
        raise BadWeights(f"{path}: holds NaN or infinite numbers; nothing was kept")
    del network.logits
    return network.eval()


def _tensors(path: Path) -> dict[str, Tensor]:
    """Name → tensor; raises BadWeights."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as file:
                unpacked = sum(one.file_size for one in file.infolist())
            if unpacked > MOST_BYTES:
                raise BadWeights(f"{path}: unpacks to {unpacked / 1e6:.0f} MB, which these weights never are")
        body = torch.load(path, map_location="cpu", weights_only=True)
    except BadWeights:
        raise
    except Exception as error:  # of a damaged or hostile file torch's reader raises whatever it trips over
        raise BadWeights(
            f"{path}: no weights can be read from it ({' '.join(str(error).split())[:200]}); nothing was kept"
        ) from None
    if not isinstance(body, dict) or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in body.items()):
        raise BadWeights(f"{path}: holds no table of weights (name → tensor); nothing was kept")
    return body


def write(network: InceptionResnetV1, path: Path) -> None:
    """As ONNX, held against torch; raises BadExport where they differ."""
    write_onnx(network, path, FORM.input_px)
