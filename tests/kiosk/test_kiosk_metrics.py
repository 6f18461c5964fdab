"""A kiosk process is scraped while it sends."""

from pathlib import Path

from tests.conftest import RedisPair
from tests.kiosk.support import accepted, eventually
from tests.kiosk.test_kiosk_main import Start, newest_frame, pictures, reply, start, stopped  # noqa: F401
from tests.scrape import free_port, scrape


def test_a_kiosk_tells_of_frames_answers_camera_and_gate(redis_pair: RedisPair, start: Start, pictures: Path) -> None:  # noqa: F811
    port = free_port()
    process = start(metrics_port=port)
    assert eventually(lambda: newest_frame(redis_pair))
    frame = newest_frame(redis_pair)
    assert frame is not None
    reply(redis_pair, accepted(frame.seq))
    assert eventually(lambda: scrape(port).get("attendance_kiosk_feedback_seconds_count{kiosk=door-1}") == 1)
    found = scrape(port)
    assert found["attendance_kiosk_frames_total{kiosk=door-1,result=sent}"] >= 1
    assert found["attendance_kiosk_frames_total{kiosk=door-1,result=failed}"] == 0
    assert found["attendance_kiosk_answers_total{kiosk=door-1,result=shown}"] == 1
    assert found["attendance_kiosk_camera{kiosk=door-1,state=ok}"] == 1
    assert found["attendance_kiosk_camera{kiosk=door-1,state=lost}"] == 0
    assert "attendance_kiosk_gate_open{kiosk=door-1}" in found
    stopped(process)
    assert scrape(port) == {}
