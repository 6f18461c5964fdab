"""`attendance model use` and `rollback`: another model for the whole site, with the old one serving until the last moment.

1. every living worker holds the model, else refused; who has no stored picture is named
2. the model is announced as coming: workers load it, enrolment embeds by both from now on
3. workers embed every stored picture that it hasn't embedded yet
4. every shard has its gallery, every worker has it loaded
5. one transaction makes it the serving model; workers follow within about a second, none of them started again

Each step can be done again, so a command that was killed is simply given again.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import SQLAlchemyError

from dashboard.database import SessionFactory, reading
from dashboard.gallery import serving
from dashboard.gallery.reembedding import Done, NobodyAnswers, embed_all
from dashboard.gallery.serving import HOLD_MS, Standing, SwapError
from deploy.errors import Problem
from deploy.model_workers import WorkerModels, living
from deploy.operator import SiteClients, plain
from worker.protocol.connection import FAILURES
from worker.protocol.entries import new_id

LOAD_S = 180.0
"""How long a worker may take to load a model, converting it for its processor included."""
PUBLISH_S = 60.0
SWITCH_S = 20.0
LOOK_S = 0.25
NOBODY = ["a living worker"]
AT_ONCE = 2
"""Pictures asked for per worker: one is embedded while the next travels."""


class Hold:
    """Keeps the swap ours while the command lives, in a thread of its own."""

    def __init__(self, factory: SessionFactory, token: str) -> None:
        self.factory, self.token = factory, token
        self.lost: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="hold", daemon=True)

    def _renew(self) -> None:
        while not self._stop.wait(HOLD_MS / 4000):
            try:
                with self.factory.begin() as session:
                    serving.hold_on(session, self.token)
            except SwapError as error:
                self.lost = str(error)
                return
            except SQLAlchemyError:
                continue  # the database is away; what is held ends by its time

    def __enter__(self) -> "Hold":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        try:
            with self.factory.begin() as session:
                serving.let_go(session, self.token)
        except (SQLAlchemyError, SwapError):
            pass  # ends by its time


class Swap:
    """One swap to `target`. `yes` takes it that people will be unknown to it. Every method raises Problem."""

    def __init__(
        self, factory: SessionFactory, sites: list[SiteClients], target: str, yes: bool, console: Console
    ) -> None:
        self.factory, self.sites, self.target, self.yes, self.console = factory, sites, target, yes, console
        self.token = new_id()
        self.unusable: set[str] = set()
        """Pictures in which the model finds nobody."""

    def run(self) -> Standing:
        workers = self._require_holders()
        with reading(self.factory) as session:
            now = serving.read(session)
            without = serving.people_without_picture(session)
            stored = serving.has_pictures(session) or not any(one.people for one in workers)
        if now.model_id == self.target and now.coming is None and all(self._serves(one, now.epoch) for one in workers):
            self.console.print(f"{self.target} serves already (epoch {now.epoch})")
            return now
        if not stored:
            raise Problem(
                "this database holds no pictures, but workers know people: set ATTENDANCE_DATABASE_URL or ATTENDANCE_HOME "
                "to those of the site"
            )
        self._agree(without, "no stored picture; no model can know them", "--yes goes on without them")
        old = self._serving_now(now, workers)
        with problems():
            with self.factory.begin() as session:
                serving.begin(session, self.target, self.token)
            with Hold(self.factory, self.token) as hold:
                self._until(self._not_loaded, LOAD_S, "loading the model")
                while True:
                    self._embed(hold)
                    self._agree_on_the_unknown()
                    self._until(self._not_published, PUBLISH_S, "the gallery's way to every worker")
                    with self.factory.begin() as session:
                        after = serving.switch(session, self.token, old, self.unusable)
                    if after is not None:
                        break
        self._until(lambda: self._not_switched(after.epoch), SWITCH_S, "switching")
        self.console.print(f"{self.target} serves (epoch {after.epoch}); `attendance model rollback` goes back")
        return after

    # --- who has what ------------------------------------------------------------------------------------------------

    def _require_holders(self) -> list[WorkerModels]:
        workers = living(self.sites)
        if not workers:
            raise Problem("no worker is running; start one, then bring the model by `attendance model push`")
        self._refuse_lacking(workers)
        return workers

    def _refuse_lacking(self, workers: list[WorkerModels]) -> None:
        lacking = [one for one in workers if self.target not in one.held]
        if lacking:
            lines = [
                f"worker {one.label} doesn't hold {self.target}"
                + (f": {one.failed[self.target]}" if self.target in one.failed else "")
                + ("" if one.speaks else ": its version is too old to be told; update it")
                for one in lacking
            ]
            raise Problem("\n".join([*lines, "bring it to them by `attendance model push BUNDLE`"]))

    def _serving_now(self, now: Standing, workers: list[WorkerModels]) -> str | None:
        """What serves by the workers' own settings where nothing was named yet: that's where rollback leads."""
        if now.model_id is not None:
            return now.model_id
        found = {one.serving for one in workers if one.serving}
        if len(found) > 1:
            words = "; ".join(f"{one.label}: {one.serving}" for one in workers)
            raise Problem(f"workers serve different models by their own settings ({words}): set ATTENDANCE_MODEL alike")
        return next(iter(found), None)

    def _serves(self, one: WorkerModels, epoch: int) -> bool:
        return one.ready and one.serving == self.target and one.epoch == epoch and one.missing is None

    # --- the steps ---------------------------------------------------------------------------------------------------

    def _agree(self, people: list[tuple[str, str]], what: str, way_out: str) -> None:
        """Name people that the model won't know; go on only with --yes."""
        if not people:
            return
        for code, name in people:
            self.console.print(f"  {escape(plain(name))} ({escape(plain(code))}): {what}")
        if not self.yes:
            raise Problem(f"{len(people)} people won't be recognised by {self.target}; {way_out}")

    def _agree_on_the_unknown(self) -> None:
        with reading(self.factory) as session:
            unknown = serving.people_unknown_to(session, self.target)
        way_out = "enrol them with another picture, or go on with --yes; `attendance model cancel` gives the swap up"
        self._agree(unknown, "the model finds no face in their pictures", way_out)

    def _embed(self, hold: Hold) -> None:
        """Every stored picture that has no template of the model, those enrolled meanwhile too."""
        lives = {site.shard: site.live for site in self.sites}
        with reading(self.factory) as session:
            left = [one for one in serving.pictures_without(session, self.target) if one not in self.unusable]
        if not left:
            return
        stop = threading.Event()
        at_once = max(2, min(16, AT_ONCE * len(living(self.sites))))
        columns = (TextColumn("embedding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        done = 0
        try:
            with Progress(*columns, console=self.console, transient=not self.console.is_terminal) as progress:
                task = progress.add_task("", total=len(left))
                for picture_id, what in embed_all(
                    self.factory, lives, self.target, left, at_once, lambda: stop.is_set() or hold.lost is not None
                ):
                    done += 1
                    progress.advance(task)
                    if what is Done.UNUSABLE:
                        self.unusable.add(picture_id)
        except NobodyAnswers as error:
            raise Problem(f"{error}; {len(left) - done} pictures are left: go on with the same command") from None
        except KeyboardInterrupt:
            stop.set()
            raise Problem(
                f"stopped; {len(left) - done} pictures are left: go on with the same command, or `attendance model cancel`"
            ) from None
        if hold.lost:
            raise Problem(hold.lost)
        self.console.print(f"{done} pictures embedded by {self.target}, {len(self.unusable)} without a face for it")

    def _not_loaded(self) -> list[str]:
        workers = self._workers_that_hold_it()
        failed = [f"worker {one.label}: {one.failed[self.target]}" for one in workers if self.target in one.failed]
        if failed:
            raise Problem("\n".join([*failed, "`attendance model cancel` gives the swap up"]))
        return [one.label for one in workers if self.target not in one.loaded] if workers else NOBODY

    def _not_published(self) -> list[str]:
        with reading(self.factory) as session:
            waiting = serving.unpublished(session, self.target)
            versions = serving.gallery_versions(session)
        if waiting:
            return [f"{waiting} changes that a shard's recorder hasn't published"]
        workers = self._workers_that_hold_it()
        behind = []
        for one in workers:
            version = one.loaded.get(self.target)
            if version is None or version < versions.get(one.shard, 0):
                behind.append(one.label)
        return behind if workers else NOBODY

    def _not_switched(self, epoch: int) -> list[str]:
        workers = living(self.sites)
        return [one.label for one in workers if not self._serves(one, epoch)] if workers else NOBODY

    def _workers_that_hold_it(self) -> list[WorkerModels]:
        """Also those that were started meanwhile; none is left behind."""
        workers = living(self.sites)
        failed = [one for one in workers if self.target in one.failed]
        if not failed:
            self._refuse_lacking(workers)
        return workers

    def _until(self, missing: Callable[[], list[str]], timeout_s: float, what: str) -> None:
        """Wait until nobody is missing; an outage of Redis is waited out too."""
        end_s = time.monotonic() + timeout_s
        left = ["Redis"]
        while True:
            try:
                left = missing()
            except FAILURES as error:
                left = [f"Redis ({error})"]
            if not left:
                return
            if time.monotonic() > end_s:
                words = (
                    f"{what} took longer than {timeout_s:.0f} s; still missing: {', '.join(plain(one) for one in left)}"
                )
                raise Problem(f"{words}. See `attendance status`, then go on with the same command")
            time.sleep(LOOK_S)


@contextmanager
def problems() -> Iterator[None]:
    """SwapError, and the database being away, as Problem."""
    try:
        yield
    except SwapError as error:
        raise Problem(str(error)) from None
    except SQLAlchemyError as error:
        raise Problem(
            f"the database can't be used: {str(error).splitlines()[0]}; go on with the same command"
        ) from None
