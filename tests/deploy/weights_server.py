"""A server of files on this machine, with the faults that a download meets; each path is one of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

from tests.http_server import http_server

ENDLESS_BYTES = 3_000_000
"""What /endless sends before it gives up; it tells no length."""


class _Handler(BaseHTTPRequestHandler):
    files: ClassVar[dict[str, bytes]]
    asked: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = self.files.get(self.path.split("?")[0].rsplit("/", 1)[1])
        match self.path.split("?")[0].split("/")[1]:
            case "silent":
                time.sleep(1.5)
            case "trickle":
                self._head(1000)
                for _ in range(30):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.05)
            case "elsewhere":
                self.send_response(302)
                self.send_header("Location", "http://192.0.2.1/weights.pt")  # a documentation address: nobody's
                self.end_headers()
            case "endless":
                self._head(None)
                for _ in range(ENDLESS_BYTES // 100_000):
                    self.wfile.write(bytes(100_000))
            case "huge":
                self._head(10**12)
            case "cut" if body is not None:
                self._head(len(body))
                self.wfile.write(body[: len(body) // 2])
            case "whole" if body is not None:
                self._head(len(body))
                self.wfile.write(body)
            case _:
                self.send_error(404)

    def _head(self, length: int | None) -> None:
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: pytest's output is no place for it."""


class Weights:
    """What a test sees of the server."""

    def __init__(self, port: int) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self._port = port

    def url(self, how: str, name: str = "weights.pt") -> str:
        return f"http://127.0.0.1:{self._port}/{how}/{name}"

    def put(self, path: Path) -> None:
        self.files[path.name] = path.read_bytes()


@contextmanager
def serving() -> Iterator[Weights]:
    handler = type("Handler", (_Handler,), {})
    with http_server(handler) as port:
        weights = Weights(port)
        handler.files, handler.asked = weights.files, weights.asked  # type: ignore[attr-defined]
        yield weights
