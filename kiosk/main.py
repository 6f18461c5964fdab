"""One kiosk: camera → gate → Redis, answers → screen. Ends on SIGTERM or SIGINT."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import cv2

from kiosk.camera import Camera, CameraStatus
from kiosk.feedback import FeedbackListener
from kiosk.keeper import Keeper
from kiosk.live_view import LiveView
from kiosk.loop import SendLoop
from kiosk.metrics import figures
from kiosk.motion import MotionGate
from kiosk.outage import Outage
from kiosk.screen import ScreenError, ScreenOptions, ScreenServer, create_app
from kiosk.screen_state import ScreenState
from kiosk.sender import Sender, connect_live, encode
from kiosk.settings import KioskSettings
from kiosk.sources import Picture, SourceError, is_webcam, make_source, shown_source
from kiosk.spool import Spool
from worker.protocol.backlog import MAX_PICTURE_BYTES
from worker.protocol.connection import connect
from worker.protocol.explained import announced
from worker.protocol.heartbeats import Heart, product_version
from worker.protocol.metrics import serve
from worker.protocol.rate import Rate
from worker.protocol.sealing import key_id
from worker.protocol.telemetry import Counters

log = logging.getLogger(__name__)

WRONG_SETTINGS = 2
"""Exit code: nothing was started; the log says what to change."""
END_S = 1.6
"""For all parts together to end; one that still hangs is a daemon and is left behind."""
LOOK_S = 0.1
"""Between two looks for `start_file`."""


def run(settings: KioskSettings, stop: threading.Event | None = None) -> int:
    """Run the kiosk until a signal (or `stop`); 0 after a graceful stop, 2 when the settings can't work."""
    stop = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
    cv2.setNumThreads(1)  # one small picture at a time: more threads only take the worker's cores
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # we say it ourselves, once and in the log
    try:
        kiosk = Kiosk(settings, stop)
        kiosk.start()
    except (SourceError, ScreenError, ValueError) as error:
        log.error("kiosk %s can't start: %s", settings.name, error)
        return WRONG_SETTINGS
    try:
        kiosk.serve()
    finally:
        kiosk.stop()
    return 0


class Kiosk:
    """The parts, put together."""

    def __init__(self, settings: KioskSettings, stop: threading.Event) -> None:
        url = settings.url("live")
        name = f"kiosk-{settings.name}"
        make_source(settings.source, settings.folder_fps)  # a missing file or folder is said now, not after start_file
        self.settings, self.stopping, self.counters = settings, stop, Counters()
        self.view = LiveView(ScreenState(settings.language, settings.name_shown_s, settings.sound))
        self.camera = Camera(lambda: make_source(settings.source, settings.folder_fps, stop.is_set), self.view.camera)
        self.gate = MotionGate(
            hold_s=settings.gate_hold_s,
            idle_interval_s=settings.idle_interval_s,
            levels=settings.motion_levels,
            share=settings.motion_share,
            min_sharpness=settings.min_sharpness,
        )
        live = connect_live(url, name)
        self.sender = Sender(live, settings, self.counters, self.view.frames_link)
        self.keeper = Keeper(self._for_spool) if settings.site_public_key else None
        self.loop = SendLoop(
            self.camera,
            self.gate,
            self.sender,
            self.view,
            self.counters,
            settings.max_frames_per_s,
            keeper=self.keeper,
        )
        self.listener = FeedbackListener(
            connect(url, name=f"{name}-feedback"),
            settings.shard,
            settings.name,
            settings.answer_deadline_ms,
            self.sender.sent,
            self.counters,
            on_frame=self.loop.answered,
            on_recorded=self.loop.recorded,
            on_link=self.view.feedback_link,
        )
        self.outage = self._outage(name)
        self._rate = Rate()
        self.heart = Heart(live, settings.shard, "kiosk", settings.name, self.report)
        mirrored = is_webcam(settings.source) if settings.mirror is None else settings.mirror
        options = ScreenOptions(
            settings.label or settings.name,
            settings.language,
            mirrored,
            settings.sound,
            settings.screen_host,
            settings.screen_port,
        )
        app = create_app(self.view, self.camera, options)
        self.screen = ScreenServer(app, self.view, settings.screen_host, settings.screen_port)
        self.screen_url = ""
        self._stop_metrics: Callable[[], None] = lambda: None

    def _outage(self, name: str) -> Outage | None:
        """None, and the log says so, where no key is set that what waits on disk could be sealed to."""
        settings = self.settings
        if settings.site_public_key is None or self.keeper is None:
            log.warning(
                "kiosk %s: people who come while Redis is away are not kept: set ATTENDANCE_SITE_PUBLIC_KEY",
                settings.name,
            )
            return None
        ledger = connect(settings.url("ledger"), name=f"{name}-backlog")
        folder = settings.home / "spool" / settings.name
        max_bytes, max_age_ms = settings.spool_max_mb * 1_000_000, round(settings.spool_max_age_h * 3_600_000)
        spool = Spool(folder, max_bytes, max_age_ms, self.counters)
        try:
            spool.open()
        except OSError as error:
            raise ValueError(f"spool {folder}: {error}; set ATTENDANCE_HOME to a folder that can be written") from None
        return Outage(
            ledger,
            settings.shard,
            settings.name,
            settings.site_public_key,
            self.keeper,
            spool,
            self.counters,
            here=self.loop.here,
            links_up=self.view.links_up,
            on_keeping=self.view.keeping,
        )

    def _for_spool(self, picture: Picture) -> bytes | None:
        try:
            return encode(picture, self.settings.send_width_px, self.settings.jpeg_quality, MAX_PICTURE_BYTES)[0]
        except (ValueError, cv2.error) as error:
            log.debug("a picture isn't kept: %s", error)
            return None

    def start(self) -> None:
        """Open the screen (raises ScreenError), then all that works in the background except the camera."""
        self.screen_url = self.screen.start()
        log.info("kiosk %s: screen on %s", self.settings.name, self.screen_url)
        self.listener.start()
        self.heart.start()
        self._stop_metrics = serve(self.settings.metrics_port, self.settings.metrics_host, lambda: figures(self))
        if self.outage is not None:
            self.outage.start()

    def serve(self) -> None:
        """Wait for the start, then send until asked to stop."""
        self._wait_for_start()
        if self.stopping.is_set():
            return
        log.info("kiosk %s: source %s", self.settings.name, shown_source(self.settings.source))
        self.camera.start()
        while not self.stopping.is_set():
            self.loop.step()
            self.view.clock_offset(self.heart.clock_offset_ms)

    def _wait_for_start(self) -> None:
        # time.sleep, not stopping.wait: this is the main thread, where the signal handler sets the event, and an
        # event that is set while the same thread is entering its wait would lock for ever.
        file = self.settings.start_file
        while file is not None and not file.exists() and not self.stopping.is_set():
            time.sleep(LOOK_S)
        begin_s = time.monotonic() + self.settings.start_delay_s
        while (left_s := begin_s - time.monotonic()) > 0 and not self.stopping.is_set():
            time.sleep(min(LOOK_S, left_s))

    def stop(self) -> None:
        """Within 3 s, even when Redis or a viewer hangs."""
        if not self.stopping.is_set():
            self.stopping.set()
        server_up = self.view.now().server.ok
        ends = [
            self.camera.stop,
            self.screen.stop,
            self.listener.stop,
            self._stop_metrics,
            lambda: self.heart.stop(server_up),
        ]
        if self.outage is not None:
            ends.append(self.outage.stop)
        enders = [threading.Thread(target=end, daemon=True) for end in ends]
        for ender in enders:
            ender.start()
        end_s = time.monotonic() + END_S
        for ender in enders:
            ender.join(max(0.0, end_s - time.monotonic()))
        log.info("kiosk %s: stopped, %d frames sent", self.settings.name, self.counters["frames_sent"])

    def report(self) -> dict[str, Any]:
        """What the heartbeat says of this kiosk."""
        status: CameraStatus = self.camera.status
        return {
            "version": product_version(),
            "settings": announced(self.settings),
            "source": shown_source(self.settings.source),
            "camera": status.state,
            "camera_words": status.words,
            "gate_open": self.gate.is_open(time.monotonic()),
            "presence": self.gate.presence,
            "motion": round(self.gate.changed, 4),
            "sharpness": round(self.gate.sharpness, 1),
            "frames_sent": self.counters["frames_sent"],
            "frames_per_s": self._rate.of(self.counters["frames_sent"], time.monotonic()),
            "frames_failed": self.counters["frames_failed"],
            "frames_skipped_idle": self.counters["frames_skipped_idle"],
            "feedback": self.counters["feedback"],
            "feedback_stale": self.counters["feedback_stale"],
            "feedback_bad": self.counters["feedback_bad"],
            "latency": self.listener.latency.to_dict(),
            "spool_waiting": len(self.outage.spool) if self.outage else None,
            "site_key": key_id(self.settings.site_public_key) if self.settings.site_public_key else None,
            "spool_failed": self.counters["spool_failed"],
            "backlog_sent": self.counters["backlog_sent"],
            "screen_url": self.screen_url,
            "source_started_ms": self.camera.source_started_ms,
        }
