"""A webhook's target under test: it answers as told, remembers what came, and can hang, drip and flood."""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.http_server import http_server

Headers = dict[str, str]


@dataclass
class HookServer:
    port: int = 0
    answers: list[str] = field(default_factory=list)
    """How the next requests are answered, the last one for ever: a status, or hang, drip, flood, redirect."""
    seen: list[tuple[str, Headers, bytes]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def next(self) -> str:
        return self.answers.pop(0) if len(self.answers) > 1 else (self.answers or ["200"])[0]


@contextmanager
def hook_server(*answers: str) -> Iterator[HookServer]:
    state = HookServer(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            state.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            how = state.next()
            with contextlib.suppress(OSError):  # cut off, as meant
                self._answer(how)

        def _answer(self, how: str) -> None:
            if how == "hang":
                state.released.wait(30)
            elif how == "drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not state.released.wait(0.05):
                    self.wfile.write(b"a")
            elif how == "flood":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                while True:
                    self.wfile.write(b"a" * 65_536)
            elif how == "redirect":
                self.send_response(302)
                self.send_header("Location", "http://169.254.169.254/latest")
                self.end_headers()
            else:
                self.send_response(int(how))
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http_server(Handler) as state.port:
        try:
            yield state
        finally:
            state.released.set()
