"""The page, its streams, and a real server: pushed at once, guarded, and quick to stop."""

import http.client
import json
import re
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from flask import Flask

from kiosk.camera import Camera
from kiosk.live_view import LiveView
from kiosk.screen import (
    MAX_VIEWERS,
    PictureEncoder,
    ScreenError,
    ScreenOptions,
    ScreenServer,
    create_app,
    event_lines,
    picture_parts,
)
from kiosk.screen_state import ScreenState
from tests.kiosk.support import FakeSource, accepted, eventually, room
from worker.protocol.guided import Hint


@pytest.fixture
def camera() -> Iterator[Camera]:
    camera = Camera(lambda: FakeSource([room(1600, 900)] * 1_000_000, interval_s=0.02))
    camera.start()
    assert eventually(camera.newest)
    assert eventually(lambda: camera.status.state == "ok")  # said a moment after the first picture is there
    yield camera
    camera.stop()


@pytest.fixture
def view(camera: Camera) -> Iterator[LiveView]:
    view = LiveView(ScreenState())
    view.camera(camera.status)
    yield view
    view.stop()


@pytest.fixture
def app(view: LiveView, camera: Camera) -> Flask:
    return create_app(view, camera, ScreenOptions("Front <door>"))


@pytest.fixture
def served(app: Flask, view: LiveView) -> Iterator[tuple[str, int]]:
    server = ScreenServer(app, view, "127.0.0.1", 0)
    url = server.start()
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", url)
    assert found
    yield "127.0.0.1", int(found[1])
    server.stop()


def get(address: tuple[str, int], path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(*address, timeout=20)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def next_view(response: http.client.HTTPResponse) -> dict:  # type: ignore[type-arg]
    while line := response.readline():
        if line.startswith(b"data: {"):
            found: dict = json.loads(line[6:])  # type: ignore[type-arg]
            return found
    raise AssertionError("the stream ended")


# --- the page ---


def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline(app: Flask) -> None:
    answer = app.test_client().get("/")
    assert answer.status_code == 200
    assert "Front &lt;door&gt;" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|//", answer.text.replace("<!doctype", ""))
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', answer.text):
        asset = app.test_client().get(path)
        assert asset.status_code == 200, path


def test_every_mode_and_prompt_has_an_icon(app: Flask) -> None:
    from kiosk.screen_state import PROMPTS, ROLE_OF_MODE

    page = app.test_client().get("/").text
    keys = (ROLE_OF_MODE.keys() - {"prompt", "enrolling"}) | {outcome.value for outcome in PROMPTS} | {"lost_screen"}
    for key in keys | {f"enrol_{hint.value}" for hint in Hint} | {"enrol_done"}:
        assert f'id="icon-{key}"' in page


@pytest.mark.parametrize(("mirrored", "sound"), [(True, True), (False, False)])
def test_options_reach_the_page(view: LiveView, camera: Camera, mirrored: bool, sound: bool) -> None:
    app = create_app(view, camera, ScreenOptions("x", "id", mirrored, sound))
    page = app.test_client().get("/").text
    assert ('data-mirrored="yes"' in page) == mirrored
    assert ('id="sound"' in page) == sound
    assert '<html lang="id">' in page


def test_a_foreign_name_for_this_machine_is_refused(app: Flask) -> None:
    assert app.test_client().get("/picture", headers={"Host": "evil.example"}).status_code == 400


def test_healthz(app: Flask, view: LiveView) -> None:
    assert app.test_client().get("/healthz").json == {"ok": True, "camera": "ok", "server": True}
    view.feedback_link(False)
    assert app.test_client().get("/healthz").json == {"ok": False, "camera": "ok", "server": False}


# --- the streams ---


def test_the_newest_picture_is_encoded_once_and_shrunk(camera: Camera) -> None:
    encoder = PictureEncoder()
    shot = camera.newest()
    assert shot is not None
    jpeg = encoder.jpeg(shot)
    assert encoder.jpeg(shot) is jpeg
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (450, 800, 3)


def test_views_are_pushed_when_they_change(view: LiveView) -> None:
    lines = event_lines(view)
    assert next(lines).startswith("retry:")
    assert json.loads(next(lines).split("data: ")[1])["mode"] == "idle"
    view.frame(accepted(1), time.monotonic())
    assert json.loads(next(lines).split("data: ")[1])["headline"] == "Grace Hopper"
    view.feedback_link(False)
    lost = json.loads(next(lines).split("data: ")[1])
    assert (lost["mode"], lost["name"]) == ("lost_server", None)


def test_a_view_that_only_time_changes_is_pushed_too(camera: Camera) -> None:
    view = LiveView(ScreenState(name_shown_s=0.5))
    view.camera(camera.status)
    view.frame(accepted(1), time.monotonic())
    shown = view.now()
    assert shown.name
    after = view.wait_other(shown, 20)
    assert after is not None
    assert after.boxes == () or after.name is None


def test_silence_is_filled_with_signs_of_life(view: LiveView) -> None:
    lines = event_lines(view)
    next(lines), next(lines)
    assert next(lines) == "event: alive\ndata: \n\n"


def test_both_links_must_be_up(view: LiveView) -> None:
    view.frames_link(False)
    view.feedback_link(False)
    view.feedback_link(True)
    assert view.now().mode == "lost_server"
    view.frames_link(True)
    assert view.now().mode == "idle"


def test_streams_end_when_the_screen_stops(view: LiveView, camera: Camera) -> None:
    lines, parts = event_lines(view), picture_parts(camera, view, PictureEncoder())
    next(lines), next(parts), next(parts)
    view.stop()
    assert list(lines) == []
    assert list(parts) == []


# --- a real server ---


def test_real_streams_over_http(served: tuple[str, int], view: LiveView) -> None:
    events = get(served, "/events")
    assert events.headers["Content-Type"].startswith("text/event-stream")
    assert next_view(events)["mode"] == "idle"
    view.frame(accepted(1), time.monotonic())
    assert next_view(events)["name"] == "Grace Hopper"

    picture = get(served, "/picture")
    assert picture.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=picture"
    for _ in range(3):
        assert picture.readline() == b"--picture\r\n"
        assert picture.readline() == b"Content-Type: image/jpeg\r\n"
        length = int(picture.readline().split(b":")[1])
        assert picture.readline() == b"\r\n"
        jpeg = picture.read(length)
        assert jpeg[:2] == b"\xff\xd8"
        assert jpeg[-2:] == b"\xff\xd9"
        assert picture.readline() == b"\r\n"


def test_too_many_viewers_are_told_and_places_come_free(served: tuple[str, int]) -> None:
    open_ones = [get(served, "/events") for _ in range(MAX_VIEWERS)]
    for one in open_ones:
        assert one.status == 200
    refused = get(served, "/events")
    assert refused.status == 503
    assert b"close one" in refused.read()
    open_ones[0].close()
    assert eventually(lambda: get(served, "/events").status == 200)


def test_stop_is_quick_with_open_streams_and_a_viewer_that_does_not_read(app: Flask, view: LiveView) -> None:
    server = ScreenServer(app, view, "127.0.0.1", 0)
    port = int(server.start().rsplit(":", 1)[1].strip("/"))
    watching = [get(("127.0.0.1", port), path) for path in ("/events", "/picture", "/picture")]
    assert next_view(watching[0])
    began_s = time.monotonic()
    server.stop()
    assert time.monotonic() - began_s < 2.5
    assert watching


def test_a_taken_port_is_an_error_that_names_the_setting(app: Flask, view: LiveView, served: tuple[str, int]) -> None:
    with pytest.raises(ScreenError, match=rf"127\.0\.0\.1:{served[1]} .*ATTENDANCE_KIOSK_SCREEN_PORT"):
        ScreenServer(app, view, *served).start()


def test_an_address_of_another_machine_is_an_error(app: Flask, view: LiveView) -> None:
    with pytest.raises(ScreenError, match="ATTENDANCE_KIOSK_SCREEN_HOST"):
        ScreenServer(app, view, "203.0.113.7", 0).start()
