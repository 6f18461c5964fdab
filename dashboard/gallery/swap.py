"""Another model for the whole site, with the old one serving until the last moment: `attendance model use`, and the Models page.

1. every living worker holds the model, else refused; who has no stored picture is told
2. the model is announced as coming: workers load it, enrolment embeds by both from now on
3. workers embed every stored picture that it hasn't embedded yet
4. every shard has its gallery, every worker has it loaded
5. one transaction makes it the serving model; workers follow within about a second, none of them started again

Each step can be done again, so a swap whose process was killed is simply begun again.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from dashboard.auditing import audit
from dashboard.database import SessionFactory, reading
from dashboard.gallery import serving
from dashboard.gallery.reembedding import Done, NobodyAnswers, embed_all
from dashboard.gallery.serving import HOLD_MS, Standing, SwapError
from dashboard.gallery.worker_models import WorkerModels, living
from worker.protocol.connection import FAILURES, Client
from worker.protocol.entries import new_id
from worker.protocol.plain import plain

LOAD_S = 180.0
"""How long a worker may take to load a model, converting it for its processor included."""
PUBLISH_S = 60.0
SWITCH_S = 20.0
LOOK_S = 0.25
NOBODY = ["a living worker"]
AT_ONCE = 2
"""Pictures asked for per worker: one is embedded while the next travels."""

People = Sequence[tuple[str, str]]
"""Code and name."""


class Teller(Protocol):
    """Who wants to know how it goes."""

    def say(self, words: str) -> None: ...

    def unknown(self, people: People, why: str) -> None:
        """People that the model won't know."""

    def bar(self, total: int) -> AbstractContextManager[Callable[[], None]]:
        """Around the pictures to embed; what it gives is called after each."""


class Silent:
    """For the page, which looks at the database instead."""

    def say(self, words: str) -> None:
        pass

    def unknown(self, people: People, why: str) -> None:
        pass

    @contextmanager
    def bar(self, total: int) -> Iterator[Callable[[], None]]:
        yield lambda: None


@dataclass(frozen=True)
class Advice:
    """The ways out that a refusal names, by where it was asked for."""

    again: str = "go on with the same command"
    give_up: str = "`attendance model cancel` gives the swap up"
    agree: str = "--yes goes on without them"


class Hold:
    """Keeps the swap ours while we live, in a thread of its own."""

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
    """One swap to `target`, on the shards of `lives`. `agreed`: people may be unknown to it. Every method raises SwapError.

    `run` is all of it. The page (swap_runs.py) takes the steps itself, and those that last in a thread.
    """

    def __init__(
        self,
        factory: SessionFactory,
        lives: Mapping[str, Client],
        target: str,
        agreed: bool,
        teller: Teller | None = None,
        by: audit.Actor = audit.COMMAND,
        advice: Advice | None = None,
    ) -> None:
        self.factory, self.lives, self.target, self.agreed, self.by = factory, lives, target, agreed, by
        self.teller: Teller = teller or Silent()
        self.advice = advice or Advice()
        self.token = new_id()
        self.unusable: set[str] = set()
        """Pictures in which the model finds nobody."""
        self.hold = Hold(factory, self.token)
        self._old: str | None = None

    def run(self) -> Standing:
        served = self.check()
        if served is not None:
            self.teller.say(f"{self.target} serves already (epoch {served.epoch})")
            return served
        with database_errors(self.advice):
            with self.factory.begin() as session:
                serving.begin(session, self.target, self.token, self.by)
            with self.hold:
                after = self.bring()
        self.follow(after)
        return after

    def check(self) -> Standing | None:
        """Whether it can begin; what stands, where the target serves already."""
        workers = self._require_holders()
        with reading(self.factory) as session:
            now = serving.read(session)
            without = serving.people_without_picture(session)
            stored = serving.has_pictures(session) or not any(one.people for one in workers)
        if now.model_id == self.target and now.coming is None and all(self._serves(one, now.epoch) for one in workers):
            return now
        if not stored:
            raise SwapError(
                "this database holds no pictures, but workers know people: set ATTENDANCE_DATABASE_URL or ATTENDANCE_HOME "
                "to those of the site"
            )
        self._agree(without, "no stored picture; no model can know them", self.advice.agree)
        self._old = self._serving_now(now, workers)
        return None

    def bring(self, switch: bool = True) -> Standing:
        """All of it up to the switch; without `switch` it ends where nothing else is missing. To be called under `hold`."""
        self._until(self._not_loaded, LOAD_S, "loading the model")
        while True:
            self._embed()
            self._agree_on_the_unknown()
            self._until(self._not_published, PUBLISH_S, "the gallery's way to every worker")
            if not switch:
                with reading(self.factory) as session:
                    return serving.read(session)
            with self.factory.begin() as session:
                after = serving.switch(session, self.token, self._old, self.unusable, self.by)
            if after is not None:
                return after

    def follow(self, after: Standing) -> None:
        """Wait until every worker serves it. Not under `hold`, which the switch has ended."""
        self._until(lambda: self._not_switched(after.epoch), SWITCH_S, "switching", held=False)
        self.teller.say(f"{self.target} serves (epoch {after.epoch}); `attendance model rollback` goes back")

    # --- who has what ------------------------------------------------------------------------------------------------

    def _require_holders(self) -> list[WorkerModels]:
        workers = living(self.lives)
        if not workers:
            raise SwapError("no worker is running; start one, then bring the model by `attendance model push`")
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
            raise SwapError("\n".join([*lines, "bring it to them by `attendance model push BUNDLE`"]))

    def _serving_now(self, now: Standing, workers: list[WorkerModels]) -> str | None:
        """What serves by the workers' own settings where nothing was named yet: that's where rollback leads."""
        if now.model_id is not None:
            return now.model_id
        found = {one.serving for one in workers if one.serving}
        if len(found) > 1:
            words = "; ".join(f"{one.label}: {one.serving}" for one in workers)
            raise SwapError(
                f"workers serve different models by their own settings ({words}): set ATTENDANCE_MODEL alike"
            )
        return next(iter(found), None)

    def _serves(self, one: WorkerModels, epoch: int) -> bool:
        return one.ready and one.serving == self.target and one.epoch == epoch and one.missing is None

    # --- the steps ---------------------------------------------------------------------------------------------------

    def _agree(self, people: People, why: str, way_out: str) -> None:
        """Tell of people that the model won't know; go on only where that is agreed."""
        if not people:
            return
        self.teller.unknown(people, why)
        if not self.agreed:
            raise SwapError(f"{len(people)} people won't be recognised by {self.target}; {way_out}")

    def _agree_on_the_unknown(self) -> None:
        with reading(self.factory) as session:
            unknown = serving.people_unknown_to(session, self.target)
        way_out = f"enrol them with another picture; {self.advice.agree}; {self.advice.give_up}"
        self._agree(unknown, "the model finds no face in their pictures", way_out)

    def _embed(self) -> None:
        """Every stored picture that has no template of the model, those enrolled meanwhile too."""
        with reading(self.factory) as session:
            left = [one for one in serving.pictures_without(session, self.target) if one not in self.unusable]
        if not left:
            return
        stop = threading.Event()
        at_once = max(2, min(16, AT_ONCE * len(living(self.lives))))
        done = 0
        try:
            with self.teller.bar(len(left)) as advance:
                for picture_id, what in embed_all(
                    self.factory,
                    self.lives,
                    self.target,
                    left,
                    at_once,
                    lambda: stop.is_set() or self.hold.lost is not None,
                ):
                    done += 1
                    advance()
                    if what is Done.UNUSABLE:
                        self.unusable.add(picture_id)
        except NobodyAnswers as error:
            self._require_hold()
            raise SwapError(f"{error}; {len(left) - done} pictures are left: {self.advice.again}") from None
        except KeyboardInterrupt:
            stop.set()
            raise SwapError(
                f"stopped; {len(left) - done} pictures are left: {self.advice.again}; {self.advice.give_up}"
            ) from None
        self._require_hold()
        self.teller.say(f"{done} pictures embedded by {self.target}, {len(self.unusable)} without a face for it")

    def _not_loaded(self) -> list[str]:
        workers = self._workers_that_hold_it()
        failed = [f"worker {one.label}: {one.failed[self.target]}" for one in workers if self.target in one.failed]
        if failed:
            raise SwapError("\n".join([*failed, self.advice.give_up]))
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
        workers = living(self.lives)
        return [one.label for one in workers if not self._serves(one, epoch)] if workers else NOBODY

    def _workers_that_hold_it(self) -> list[WorkerModels]:
        """Also those that were started meanwhile; none is left behind."""
        workers = living(self.lives)
        failed = [one for one in workers if self.target in one.failed]
        if not failed:
            self._refuse_lacking(workers)
        return workers

    def _require_hold(self) -> None:
        if self.hold.lost:
            raise SwapError(self.hold.lost)

    def _until(self, missing: Callable[[], list[str]], timeout_s: float, what: str, held: bool = True) -> None:
        """Wait until nobody is missing; an outage of Redis is waited out too."""
        end_s = time.monotonic() + timeout_s
        left = ["Redis"]
        while True:
            if held:
                self._require_hold()
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
                raise SwapError(f"{words}. See `attendance status`, then {self.advice.again}")
            time.sleep(LOOK_S)


@contextmanager
def database_errors(advice: Advice) -> Iterator[None]:
    """The database being away, as SwapError."""
    try:
        yield
    except SQLAlchemyError as error:
        raise SwapError(f"the database can't be used: {str(error).splitlines()[0]}; {advice.again}") from None
