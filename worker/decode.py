"""JPEG bytes to an RGB picture; anything else is refused with its reason before it costs memory or time."""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_PIXELS = 16_000_000
MIN_SIDE_PX = 32


class BadPicture(ValueError):
    """Bytes that are no usable picture; the message says why."""


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB. Raises BadPicture: not a JPEG, truncated, under 32 px or over 16 megapixels."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as header:  # reads the header only
            width, height = header.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise BadPicture(f"not a JPEG ({len(data)} bytes beginning {data[:4].hex()})") from None
    if width * height > MAX_PIXELS:
        raise BadPicture(f"{width}×{height} pixels; at most {MAX_PIXELS / 1e6:.0f} megapixels are looked at")
    if min(width, height) < MIN_SIDE_PX:
        raise BadPicture(f"{width}×{height} pixels are too few for a face")
    if b"\xff\xd9" not in data[-64:]:
        raise BadPicture("truncated JPEG: its end is missing")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        picture = None
    if picture is None:
        raise BadPicture("damaged JPEG: it can't be decoded")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
