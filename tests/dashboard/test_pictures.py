"""Uploads: whatever a phone, a scanner or somebody hostile sends becomes a harmless JPEG or a sentence."""

import contextlib
import io
import os
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dashboard.enrolling import pictures
from dashboard.enrolling.pictures import BadPicture, normalise_upload
from worker.protocol.entries import MAX_JPEG_BYTES

RED, BLUE = (220, 30, 30), (30, 30, 220)


def scene(width: int = 320, height: int = 200) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), BLUE)
    picture.paste(RED, (0, 0, width // 2, height))
    return picture


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def decoded(jpeg: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(jpeg))
    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    picture.load()
    return picture


def near(pixel: object, colour: tuple[int, int, int], tolerance: int = 30) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_usual_formats(kind: str) -> None:
    picture = decoded(normalise_upload(encoded(scene(), kind)))
    assert picture.size == (320, 200)
    assert near(picture.getpixel((10, 100)), RED)
    assert near(picture.getpixel((310, 100)), BLUE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_phones_that_store_pictures_turned(orientation: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene().transpose(undo[orientation]) if orientation in undo else scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera Maker"
    picture = decoded(normalise_upload(encoded(stored, exif=exif)))
    assert picture.size == (320, 200)
    assert near(picture.getpixel((10, 100)), RED)
    assert not picture.getexif()
    assert "exif" not in picture.info


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "JPEG"), ("CMYK", "JPEG"), ("RGBA", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("1", "PNG"), ("RGBA", "WEBP")],
)
def test_every_colour_mode(mode: str, kind: str) -> None:
    picture = decoded(normalise_upload(encoded(scene().convert(mode), kind)))
    left, right = picture.getpixel((60, 100)), picture.getpixel((260, 100))
    if mode in ("CMYK", "RGBA", "P"):
        assert near(left, RED, 60)
        assert near(right, BLUE, 60)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    grey = Image.new("I;16", (64, 64), 30_000)
    picture = decoded(normalise_upload(encoded(grey, "PNG")))
    assert near(picture.getpixel((32, 32)), (117, 117, 117), 3)


def test_transparency_becomes_white() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert near(decoded(normalise_upload(encoded(clear, "PNG"))).getpixel((32, 32)), (255, 255, 255), 3)


def test_large_pictures_shrink_and_the_worst_noise_still_fits() -> None:
    noise = Image.frombytes("RGB", (3000, 2000), os.urandom(3000 * 2000 * 3))
    jpeg = normalise_upload(encoded(noise, quality=80))
    assert len(jpeg) <= MAX_JPEG_BYTES
    assert decoded(jpeg).size == (2048, 1365)


def test_the_same_upload_gives_the_same_bytes() -> None:
    data = encoded(scene())
    assert normalise_upload(data) == normalise_upload(data)


def png_header(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that says it is huge."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height"), [(10_000, 6_000), (60_000, 1_000), (30_000, 30_000), (2**31 - 1, 2**31 - 1)]
)
def test_sixty_megapixels_are_refused_from_the_header(width: int, height: int, monkeypatch) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(BadPicture, match="megapixels"):
        normalise_upload(png_header(width, height))


def test_a_whole_sixty_megapixel_jpeg_is_refused_from_the_header(monkeypatch) -> None:
    data = encoded(Image.new("L", (10_000, 6_000)), quality=10)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(BadPicture, match="60 megapixels"):
        normalise_upload(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"hello, this is a letter", "not a picture"),
        (b"%PDF-1.7 ...", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"GIF89a\x01\x00\x01\x00\x80\x00\x00", "not a picture"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"),
        (b"\xff\xd8\xff\xe0", "not a picture|damaged"),
        (encoded(scene(8, 8)), "only 8×8"),
    ],
)
def test_what_is_not_a_picture_gets_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(BadPicture, match=said):
        normalise_upload(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_truncated_files_are_damaged_not_half_stored(kind: str) -> None:
    whole = encoded(Image.frombytes("RGB", (200, 200), os.urandom(120_000)), kind)
    with pytest.raises(BadPicture, match=r"damaged|not a picture"):
        normalise_upload(whole[: len(whole) // 2])


def test_too_many_bytes_are_not_even_opened(monkeypatch) -> None:
    monkeypatch.setattr(pictures.Image, "open", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(BadPicture, match="at most 1 MB"):
        normalise_upload(b"x" * 1_000_001, max_bytes=1_000_000)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_flipped_bytes_never_raise_anything_else(data) -> None:
    raw = bytearray(encoded(scene(64, 48), data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadPicture):
        decoded(normalise_upload(bytes(raw)))
