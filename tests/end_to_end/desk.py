"""Somebody at a browser of their own: logs in, goes where the menu leads, and has every page photographed."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.end_to_end.album import Album
from tests.end_to_end.conftest import PASSWORD


@dataclass
class Desk:
    page: Page
    album: Album

    def first_log_in(self, name: str, one_time: str) -> None:
        """From the log-in page, by the keyboard alone: the one-time password, then a password of their own."""
        self.arrived("Log in")
        self._type(name, one_time)
        self.arrived("Choose your password")
        self.shoot("choose-a-password")
        self._type(one_time, PASSWORD, PASSWORD)
        expect(self.page.get_by_text("Your new password is set.")).to_be_visible()

    def _type(self, *texts: str) -> None:
        """Into the fields from the focused one on; Enter sends them. A busy machine focuses and types late."""
        for number, text in enumerate(texts):
            if number:
                self.page.keyboard.press("Tab")
            focused = self.page.locator("input:focus")
            expect(focused).to_have_value("")
            self.page.keyboard.type(text)
            expect(focused).to_have_value(text)
        self.page.keyboard.press("Enter")

    def go(self, *entries: str) -> None:
        """Through the bar at the top, then the one below it."""
        for bar, entry in zip(("Main", None), entries, strict=False):
            nav = self.page.get_by_role("navigation", name=bar or entries[0], exact=True)
            nav.get_by_role("link", name=entry).first.click()

    def arrived(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", name=heading, level=1)).to_be_visible()

    def fill(self, **fields: str) -> None:
        """By their labels: `Time_zone="Asia/Jakarta"`; a `select` gets the choice with these words."""
        for label, text in fields.items():
            labelled = self.page.get_by_label(label.replace("_", " "), exact=True)
            field = self.page.locator("input, select").and_(labelled)  # parts of a page have labels too
            if field.evaluate("element => element.tagName") == "SELECT":
                field.select_option(text)
            else:
                field.fill(text)

    def press(self, name: str, within: Locator | None = None) -> None:
        (within or self.page).get_by_role("button", name=name).click()

    def told(self, words: str) -> None:
        """What the page says at its top after something was done."""
        expect(self.page.locator(".notices[role=status]")).to_contain_text(words)

    def shoot(self, name: str) -> None:
        self.album.add(self.page, name)

    def download(self, link: str) -> tuple[str, bytes]:
        """The file behind a link: its name, and what it holds."""
        with self.page.expect_download() as begun:
            self.page.get_by_role("link", name=link, exact=True).click()
        return begun.value.suggested_filename, Path(begun.value.path()).read_bytes()
