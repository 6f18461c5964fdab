"""Uploaded pictures, made harmless: bounded before they are decoded, upright, small, without metadata, always JPEG."""

import io
import warnings

from flask_babel import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from dashboard.web.locales import number_words
from worker.protocol.entries import MAX_JPEG_BYTES

MAX_UPLOAD_BYTES = 25_000_000
MAX_MEGAPIXELS = 50
"""Phones reach 48–50; decoded that is 150 MB, more is refused from the header alone."""
LONGEST_SIDE_PX = 2_048
SHORTEST_SIDE_PX = 16
QUALITIES = (92, 85, 75, 60, 40)
"""JPEG qualities, tried in this order until the file is small enough."""
FORMATS = ("JPEG", "PNG", "WEBP")
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif")


class BadPicture(ValueError):
    """An upload that can't be used; the message is a sentence for the person who uploaded it."""


def normalise_upload(data: bytes, max_bytes: int = MAX_UPLOAD_BYTES) -> bytes:
    """`data` as an upright RGB JPEG, longest side at most 2,048 px and at most MAX_JPEG_BYTES; raises BadPicture only.

    The same upload gives the same bytes, so their digest tells whether a picture came before.
    """
    if not data:
        raise BadPicture(_("The file is empty (0 bytes). Choose the picture again."))
    if len(data) > max_bytes:
        raise BadPicture(
            _(
                "The file has %(size)s MB, at most %(most)s MB are taken.",
                size=number_words(len(data) / 1e6, 1),
                most=number_words(max_bytes / 1e6),
            )
        )
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        raise BadPicture(
            _("HEIC and AVIF pictures can't be read. Save it as JPEG, or set the phone to 'most compatible'.")
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is below Pillow's, and checked before anything is decoded
            Image.init()  # only then are all of FORMATS known by name; costs nothing the second time
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            _check_size(*picture.size)
            if picture.format in ("JPEG", "MPO"):  # MPO: a phone's JPEG that carries a second picture
                picture.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))  # decodes a large one at a half or a quarter
            picture.load()
            upright = _rgb(ImageOps.exif_transpose(picture))
    except BadPicture:
        raise
    except UnidentifiedImageError:
        raise BadPicture(_("This is not a picture that can be read. Use JPEG, PNG or WebP.")) from None
    except Image.DecompressionBombError:
        raise BadPicture(
            _(
                "The picture has more than %(most)s megapixels. Make it smaller.",
                most=MAX_MEGAPIXELS,
            )
        ) from None
    except (
        Exception
    ) as error:  # decoders raise whatever they like on hostile bytes: OSError, SyntaxError, struct.error …
        raise BadPicture(
            _("The picture is damaged or incomplete (%(kind)s). Save it again.", kind=type(error).__name__)
        ) from None
    upright.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX), Image.Resampling.LANCZOS)
    return _jpeg(upright)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise BadPicture(
            _(
                "The picture has %(size)s megapixels (%(width)s×%(height)s), at most %(most)s are taken. Make it smaller.",
                size=number_words(width * height / 1e6),
                width=width,
                height=height,
                most=MAX_MEGAPIXELS,
            )
        )
    if min(width, height) < SHORTEST_SIDE_PX:
        raise BadPicture(
            _("The picture is only %(width)s×%(height)s pixels. Use a larger one.", width=width, height=height)
        )


def _rgb(picture: Image.Image) -> Image.Image:
    """Any mode as RGB: transparency on white, 16 bits scaled down to 8."""
    if picture.mode.startswith("I"):  # only 16-bit grey PNGs come as integers
        return picture.convert("I").point(lambda value: value * (1 / 257) + 0).convert("L").convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        ground.alpha_composite(layer)
        return ground.convert("RGB")
    return picture.convert("RGB")


def _jpeg(picture: Image.Image) -> bytes:
    for quality in QUALITIES:
        out = io.BytesIO()
        picture.info.clear()
        picture.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= MAX_JPEG_BYTES:
            return out.getvalue()
    raise BadPicture(_("The picture is too detailed to be stored. Make it smaller."))


def thumbnail(jpeg: bytes, side_px: int = 320) -> bytes:
    """A stored picture, small enough to be carried inside a page."""
    picture = Image.open(io.BytesIO(jpeg), formats=("JPEG",))
    picture.draft("RGB", (side_px, side_px))
    picture.thumbnail((side_px, side_px))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
