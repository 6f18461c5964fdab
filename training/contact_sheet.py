"""Faces side by side with captions, as a picture for people to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.dataset import BadData

TILE_PX = 160
CAPTION_PX = 40
GAP_PX = 12
FRAME_PX = 5
TEXT_PX = 13
COLUMNS = 6
SUFFIXES = (".png", ".jpg", ".jpeg")
PAPER, INK = "white", "black"
FRAMES = {"good": "#1a7f37", "bad": "#c62828", "plain": "#9aa0a6"}
"""Never the only sign: the caption says it too."""


@dataclass(frozen=True)
class Tile:
    picture: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    caption: str
    """One or two lines; a line that is too long is cut."""
    frame: str = "plain"
    """`good`, `bad` or `plain`."""


def check_name(path: Path) -> None:
    """Raise BadData, before any work, for a name that isn't a PNG's or JPEG's."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadData(f"{path}: a picture's name ends in {', '.join(SUFFIXES)}")


def write_sheet(tiles: Sequence[Tile], path: Path, title: str = "") -> None:
    """Write the tiles, in rows of COLUMNS, as PNG or JPEG; raises BadData."""
    check_name(path)
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    head = CAPTION_PX if title else GAP_PX
    width = GAP_PX + columns * (TILE_PX + GAP_PX)
    sheet = Image.new("RGB", (width, head + rows * (TILE_PX + CAPTION_PX + GAP_PX)), PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(TEXT_PX)
    if title:
        pen.text((GAP_PX, GAP_PX), _cut(title, width - 2 * GAP_PX, font), INK, font)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        x, y = GAP_PX + column * (TILE_PX + GAP_PX), head + row * (TILE_PX + CAPTION_PX + GAP_PX)
        pen.rectangle((x, y, x + TILE_PX - 1, y + TILE_PX - 1), FRAMES[tile.frame])
        inner = TILE_PX - 2 * FRAME_PX
        face = Image.fromarray(tile.picture).resize((inner, inner), Image.Resampling.BICUBIC)
        sheet.paste(face, (x + FRAME_PX, y + FRAME_PX))
        for line, text in enumerate(tile.caption.splitlines()[:2]):
            pen.text((x, y + TILE_PX + 3 + line * (TEXT_PX + 3)), _cut(text, TILE_PX, font), INK, font)
    try:
        sheet.save(path)
    except OSError as error:
        raise BadData(f"{path}: can't be written ({error.strerror or error})") from None


def _cut(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
