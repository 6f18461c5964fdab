import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from worker.decode import BadPicture, decode_jpeg


def saved(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


SMALL = saved(Image.effect_noise((64, 48), 60).convert("RGB"))


def with_size(width: int, height: int) -> bytes:
    """A small JPEG whose header claims another size."""
    at = SMALL.index(b"\xff\xc0") + 5
    return SMALL[:at] + struct.pack(">HH", height, width) + SMALL[at + 4 :]


def test_a_picture_comes_out_as_rgb(portrait: NDArray[np.uint8]) -> None:
    picture = decode_jpeg(saved(Image.fromarray(portrait), quality=95))
    assert picture.shape == portrait.shape
    assert np.abs(picture.astype(int) - portrait).mean() < 4


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_pictures_work(mode: str, portrait: NDArray[np.uint8]) -> None:
    picture = decode_jpeg(saved(Image.fromarray(portrait).convert(mode)))
    assert picture.shape == (512, 512, 3)
    assert picture.dtype == np.uint8


def test_a_progressive_picture_works(portrait: NDArray[np.uint8]) -> None:
    assert decode_jpeg(saved(Image.fromarray(portrait), progressive=True)).shape == (512, 512, 3)


def test_the_orientation_tag_is_left_alone(portrait: NDArray[np.uint8]) -> None:
    """A camera's frame is as its pixels are; uploads were turned upright by the dashboard."""
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_jpeg(saved(Image.fromarray(portrait[:300]), exif=exif)).shape == (300, 512, 3)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a JPEG (0 bytes"),
        (b"\x00" * 1000, "not a JPEG"),
        (b"GIF89a" + b"\x00" * 50, "not a JPEG"),
        (saved(Image.new("RGB", (64, 64)), "PNG"), "not a JPEG"),
        (b"\xff\xd8\xff", "not a JPEG"),
        (SMALL[: len(SMALL) // 2], "truncated"),
        (SMALL[:-2], "truncated"),
        (saved(Image.new("RGB", (16, 16))), "too few"),
        (saved(Image.new("RGB", (4000, 20))), "too few"),
        (with_size(0, 0), "not a JPEG"),
        (with_size(65_000, 65_000), "not a JPEG"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_reason(data: bytes, said: str) -> None:
    with pytest.raises(BadPicture) as caught:
        decode_jpeg(data)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("size", [(8000, 5000), (4001, 4000), (8192, 8192)])
def test_forty_megapixels_are_refused_without_decoding(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("cv2.imdecode", decoded)
    with pytest.raises(BadPicture, match=rf"{size[0]}×{size[1]} pixels; at most 16 megapixels"):
        decode_jpeg(with_size(*size))


@settings(max_examples=150)
@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    with pytest.raises(BadPicture):
        decode_jpeg(data)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_picture_is_decoded_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for at, value in changes:
        data[at] = value
    try:
        assert decode_jpeg(bytes(data)).shape[2] == 3
    except BadPicture as error:
        assert str(error)  # noqa: PT017
