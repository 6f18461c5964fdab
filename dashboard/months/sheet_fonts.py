"""Fonts of printed sheets: reportlab's own first, so that sheets look alike everywhere, then what the machine has.

reportlab carries Bitstream Vera: Latin letters with their marks. DejaVu, which most Linux systems have, adds Greek, Cyrillic and
more. What neither has is shown as `?`, and the caller is told so: a sheet says what it can't print. The same goes for
scripts that are written from right to left, which would come out backwards.
"""

import functools
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

FOLDERS = (
    Path("/usr/share/fonts/truetype/dejavu"),
    Path("/usr/share/fonts/dejavu"),
    Path("/usr/share/fonts/dejavu-sans-fonts"),
    Path("/usr/share/fonts/TTF"),
    Path("/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
"""Where DejaVu lies on Debian, Fedora, Arch, macOS and Windows."""
MISSING = "?"
TO_THE_LEFT = frozenset({"R", "AL", "AN"})
"""Classes of characters that run from right to left (Unicode's UAX #9)."""


@dataclass(frozen=True)
class Fitting:
    text: str
    """What is printed, in `font`."""
    font: str
    complete: bool
    """Whether every character of the given text is in it."""


@functools.cache
def _families() -> tuple[tuple[str, str], ...]:
    """Regular and bold fonts, by the names that they are registered under, in the order in which they are tried."""
    found = [(_register("Vera", "Vera.ttf"), _register("Vera-Bold", "VeraBd.ttf"))]
    for folder in FOLDERS:
        regular, bold = folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"
        if regular.is_file() and bold.is_file():
            try:
                found.append((_register("DejaVu", str(regular)), _register("DejaVu-Bold", str(bold))))
            except TTFError:
                continue  # a damaged font is as good as none
            break
    return tuple(found)


def _register(name: str, file: str) -> str:
    pdfmetrics.registerFont(TTFont(name, file))
    return name


@functools.lru_cache(maxsize=4096)
def fitting(text: str, bold: bool = False) -> Fitting:
    """`text` in the first font that has all of it, else with as few `?` as can be; letters lose their marks before that."""
    composed = unicodedata.normalize("NFC", text)
    tried = [_in_font(composed, family[bold]) for family in _families()]
    return min(tried, key=lambda one: (not one.complete, one.text.count(MISSING)))


def _in_font(text: str, font: str) -> Fitting:
    has = pdfmetrics.getFont(font).face.charToGlyph
    shown = "".join(char if _prints(char, has) else _without_marks(char, has) for char in text)
    return Fitting(shown, font, shown == text)


def _prints(char: str, has: dict[int, int]) -> bool:
    return ord(char) in has and unicodedata.bidirectional(char) not in TO_THE_LEFT


def _without_marks(char: str, has: dict[int, int]) -> str:
    bare = unicodedata.normalize("NFKD", char)[0]
    return bare if _prints(bare, has) else MISSING
