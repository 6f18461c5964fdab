"""Pictures of pages as a phone, a tablet and a desktop show them, to be looked at by people; CI keeps them."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Page

WIDTHS = {390: 844, 820: 1180, 1280: 900}
"""Pixels, and the height of such a screen; the last is what the scene goes on with."""
HIGHEST = 4_000
"""Pixels; what is below of a long list looks the same, and takes seconds to draw."""
FOLDER = Path(os.environ.get("ATTENDANCE_TEST_ARTEFACTS", Path(__file__).parents[2] / "artefacts"))
"""Git ignores it."""


class Album:
    """One folder of a name, emptied at the beginning; `troubles` are the pages that scroll sideways."""

    def __init__(self, name: str) -> None:
        self.folder = FOLDER / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.troubles: list[str] = []
        self._names: list[str] = []

    def add(self, page: Page, name: str) -> None:
        """The page, at all widths: `01-log-in-390.jpg` and so on. A name that is there isn't taken again."""
        if name in self._names:
            return
        self._names.append(name)
        page.wait_for_load_state("load")  # its words may be there before its style sheets, and are wider without them
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            title = f"{len(self._names):02}-{name}-{width}"
            wide, high = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            if wide > width:
                self.troubles.append(f"{title}: {wide} px wide")
            shown = {"x": 0, "y": 0, "width": wide, "height": min(high, HIGHEST)}
            page.screenshot(path=self.folder / f"{title}.jpg", type="jpeg", quality=80, full_page=True, clip=shown)  # type: ignore[arg-type]
