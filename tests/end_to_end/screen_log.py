"""Follows a kiosk's screen without a browser: every view that it pushes, with the time when it came."""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

AWAY = "away"
"""The mode while the kiosk doesn't answer; its page then says that the screen has stopped."""


@dataclass(frozen=True)
class Seen:
    at_s: float
    mode: str
    name: str | None


class ScreenLog(threading.Thread):
    """Reads until `stop`, and comes back when the kiosk does."""

    def __init__(self, url: str) -> None:
        super().__init__(name="screen-log", daemon=True)
        self._address = urlsplit(url)
        self.seen: list[Seen] = [Seen(time.time(), AWAY, None)]
        self._stop_asked = threading.Event()

    @property
    def now(self) -> Seen:
        return self.seen[-1]

    def stop(self) -> None:
        self._stop_asked.set()
        self.join(timeout=10)

    def run(self) -> None:
        while not self._stop_asked.is_set():
            connection = http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=4)
            try:
                self._read(connection)
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            self.seen.append(Seen(time.time(), AWAY, None))
            self._stop_asked.wait(0.1)

    def _read(self, connection: http.client.HTTPConnection) -> None:
        connection.request("GET", "/events")
        response = connection.getresponse()
        kind = ""
        while not self._stop_asked.is_set() and (line := response.readline()):
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind == "view":
                view: dict[str, Any] = json.loads(value)
                self.seen.append(Seen(time.time(), view["mode"], view["name"]))
