"""A browser for measuring the dashboard over HTTP: logs in, gets pages, and watches the server's memory meanwhile."""

import re
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

from deploy.errors import Problem

NAME, PASSWORD = "bench", "bench bench bench"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
LOOK_EVERY_S = 0.05


class Browser:
    def __init__(self, url: str) -> None:
        self.url = url
        direct, cookies = urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        self.opener = urllib.request.build_opener(direct, cookies)

    def log_in(self) -> None:
        """Raises Problem where it isn't let in."""
        page = self.opener.open(f"{self.url}/login").read().decode()
        token = TOKEN.search(page)
        form = {"name": NAME, "password": PASSWORD, "csrf_token": token[1] if token else ""}
        answer = self.opener.open(f"{self.url}/login", urllib.parse.urlencode(form).encode())
        if answer.geturl().endswith("/login"):
            raise Problem(f"the dashboard doesn't let {NAME} in: this database has another password for that name")

    def get_ms(self, path: str) -> float:
        """Milliseconds from asking to the last byte."""
        started = time.perf_counter()
        self.opener.open(self.url + path, timeout=120).read()
        return (time.perf_counter() - started) * 1e3

    def download(self, path: str) -> tuple[float, float, int, int]:
        """Seconds to the first byte, seconds in all, bytes, and line ends among them. Nothing of it is kept."""
        started, first, size, lines = time.perf_counter(), 0.0, 0, 0
        with self.opener.open(self.url + path, timeout=600) as answer:
            while piece := answer.read(65_536):
                first = first or time.perf_counter() - started
                size, lines = size + len(piece), lines + piece.count(b"\n")
        return first, time.perf_counter() - started, size, lines


def rss_mb(pid: int) -> float:
    """Memory that a process and its children have now."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
        except OSError:
            continue  # it has ended
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if int(folder.name) == pid or int(fields["PPid"]) == pid:
            total += int(fields.get("VmRSS", "0 kB").split()[0])
    return round(total / 1024, 1)


@contextmanager
def highest_rss_mb(pid: int) -> Iterator[list[float]]:
    """A list whose one number rises to the highest that was seen inside the block."""
    highest, done = [rss_mb(pid)], threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_EVERY_S):
            highest[0] = max(highest[0], rss_mb(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield highest
    finally:
        done.set()
        watcher.join()
