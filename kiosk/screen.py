"""The local web page that people look at: picture and views are pushed to it. Served by threads of this process."""

import contextlib
import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
from cheroot import wsgi
from flask import Flask, Response, jsonify, render_template

from kiosk.camera import Camera, Shot
from kiosk.live_view import LiveView
from kiosk.texts import TEXTS, WORDS, Language

log = logging.getLogger(__name__)

PICTURES_PER_S = 12
PICTURE_WIDTH_PX = 800
PICTURE_QUALITY = 80
SAME_AGAIN_S = 3.0
"""A picture that doesn't change is sent again after this, which also finds out that a viewer has gone."""
ALIVE_EVERY_S = 1.5
"""The page takes silence of several of these for a stopped screen, and clears itself."""
MAX_VIEWERS = 4
"""Pages open at a time; each holds two connections."""
SOCKET_TIMEOUT_S = 3
STOP_S = 1
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class ScreenError(RuntimeError):
    """The screen can't be served; the message says which setting to change."""


@dataclass(frozen=True)
class ScreenOptions:
    """How the page looks and where it listens."""

    label: str
    language: Language = "en"
    mirrored: bool = False
    sound: bool = True
    host: str = "127.0.0.1"
    port: int = 0


class PictureEncoder:
    """The newest picture as a small JPEG, encoded once for all viewers, and only when one asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number, self._jpeg = -1, b""

    def jpeg(self, shot: Shot) -> bytes:
        with self._lock:
            if shot.number != self._number:
                picture = shot.picture
                height, width = picture.shape[:2]
                if width > PICTURE_WIDTH_PX:
                    size = (PICTURE_WIDTH_PX, max(1, round(height * PICTURE_WIDTH_PX / width)))
                    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
                data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])[1]
                self._number, self._jpeg = shot.number, data.tobytes()
            return self._jpeg


def picture_parts(camera: Camera, view: LiveView, encoder: PictureEncoder) -> Iterator[bytes]:
    """Parts of a multipart stream. Each ends with the next boundary, on which a browser draws what it has."""
    yield b"--picture\r\n"
    number, sent_s = 0, 0.0
    while not view.stopping:
        shot = camera.wait_newer(number, 0.25)
        if shot is None and time.monotonic() - sent_s > SAME_AGAIN_S:
            shot = camera.newest()
        if shot is None:
            continue
        jpeg = encoder.jpeg(shot)
        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
        yield head + jpeg + b"\r\n--picture\r\n"
        number, sent_s = shot.number, time.monotonic()
        time.sleep(1 / PICTURES_PER_S)


def event_lines(view: LiveView) -> Iterator[str]:
    """Server-sent events: the view as it is now, each change of it, and a sign of life in between."""
    yield "retry: 1000\n\n"
    last = None
    while not view.stopping:
        now = view.wait_other(last, ALIVE_EVERY_S)
        if now is not None:
            last = now
            yield f"event: view\ndata: {json.dumps(now.to_dict(), ensure_ascii=False)}\n\n"
        elif not view.stopping:
            yield "event: alive\ndata: \n\n"


def create_app(view: LiveView, camera: Camera, options: ScreenOptions) -> Flask:
    app = Flask(__name__)
    encoder = PictureEncoder()
    places = {"picture": threading.BoundedSemaphore(MAX_VIEWERS), "events": threading.BoundedSemaphore(MAX_VIEWERS)}
    if options.host in LOOPBACK:
        # A foreign page whose name is made to point at this machine must not get the camera's picture.
        app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost", "[::1]"]

    def stream(kind: str, parts: Iterator[bytes] | Iterator[str], mimetype: str) -> Response:
        place = places[kind]
        if not place.acquire(blocking=False):
            return Response(f"{MAX_VIEWERS} pages show this door already; close one\n", 503, mimetype="text/plain")
        response = Response(parts, mimetype=mimetype)
        response.call_on_close(place.release)
        return response

    @app.get("/")
    def page() -> str:
        return render_template(
            "kiosk.html",
            options=options,
            words=WORDS[options.language],
            starting=TEXTS[options.language]["starting"],
            lost=TEXTS[options.language]["lost_screen"],
        )

    @app.get("/picture")
    def picture() -> Response:
        return stream("picture", picture_parts(camera, view, encoder), "multipart/x-mixed-replace; boundary=picture")

    @app.get("/events")
    def events() -> Response:
        return stream("events", event_lines(view), "text/event-stream")

    @app.get("/healthz")
    def healthz() -> Response:
        now = view.now()
        return jsonify(ok=now.camera.ok and now.server.ok, camera=camera.status.state, server=now.server.ok)

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store"
        return response

    return app


class _Server(wsgi.Server):
    """Says what goes wrong in our log instead of on stderr; viewers who leave are nothing to tell."""

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        log.log(logging.DEBUG if level <= logging.INFO else level, "screen: %s", msg, exc_info=traceback)


class ScreenServer:
    """Serves the page until stopped. Its threads are daemons: a viewer that hangs can't hold up the end."""

    def __init__(self, app: Flask, view: LiveView, host: str, port: int) -> None:
        self._view, self._host, self._port = view, host, port
        self._server = _Server(
            (host, port),
            app,
            numthreads=2 * MAX_VIEWERS + 4,
            timeout=SOCKET_TIMEOUT_S,
            shutdown_timeout=STOP_S,
            server_name="kiosk",
        )
        self._bound = threading.Event()
        self._failure: OSError | None = None

    def start(self) -> str:
        """Listen, and return the address to open; raises ScreenError when the port is taken."""
        # The server's own threads are made in this one, and inherit that they are daemons.
        threading.Thread(target=self._serve, name="screen", daemon=True).start()
        self._bound.wait()
        if self._failure is not None:
            raise ScreenError(
                f"the screen can't listen on {self._host}:{self._port} ({self._failure}): does another kiosk run there? "
                "Set ATTENDANCE_KIOSK_SCREEN_PORT (0 takes any free port) or ATTENDANCE_KIOSK_SCREEN_HOST"
            )
        port = self._server.socket.getsockname()[1]
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(self._host, self._host)
        return f"http://{host}:{port}/"

    def _serve(self) -> None:
        try:
            self._server.prepare()
        except OSError as error:
            self._failure = error
            return
        finally:
            self._bound.set()
        with contextlib.suppress(OSError):  # closing its socket wakes it up
            self._server.serve()

    def stop(self) -> None:
        """Let the streams end and close; what hangs after a second is left to the end of the process."""
        self._view.stop()
        stopping = threading.Thread(target=self._server.stop, name="screen-stop", daemon=True)
        stopping.start()
        stopping.join(STOP_S + 0.5)
