"""What the Models page shows of each model: what its bundle says, who holds it, and how many people it knows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from dashboard.gallery import calibration, serving, worker_models
from dashboard.gallery.worker_models import WorkerModels
from dashboard.models import Calibration
from dashboard.operating.running import Running, number
from worker.protocol.announced import AnnouncedModel
from worker.protocol.heartbeats import Heartbeat


@dataclass(frozen=True)
class ModelCard:
    """`about` is None where no living worker announces it."""

    id: str
    about: AnnouncedModel | None
    people: int
    holders: tuple[str, ...]
    lacking: tuple[str, ...]
    """Living workers without it: it can't be brought in before they have it."""

    @property
    def held_by_all(self) -> bool:
        return bool(self.holders) and not self.lacking


@dataclass(frozen=True)
class InForce:
    """What workers say of the rule that they apply now: the most cautious reading, were they to differ."""

    threshold: float | None = None
    limit: float | None = None
    people: int = 0
    promised_fpir: float | None = None
    meets_target: bool = True
    accepted: float | None = None
    accepts_too_few: bool = False


@dataclass(frozen=True)
class Look:
    """The newest look at how alike the site's own people are, and how many were enrolled since where that is enough."""

    newest: Calibration | None = None
    limit: float | None = None
    offer: int | None = None


@dataclass(frozen=True)
class Models:
    """`serving` are the models that are in use, one unless something is wrong."""

    workers: list[WorkerModels]
    serving: list[ModelCard]
    others: list[ModelCard]
    in_force: InForce
    look: Look
    people: int
    """Whom a model should know."""
    previous: ModelCard | None = None


def gather(session: Session, now: Running) -> Models:
    beats = now.of_role("worker")
    workers = worker_models.sorted_of(beats)
    told = worker_models.announced(beat for _, beat in beats)
    known = serving.people_by_model(session)
    standing = serving.read(session)
    in_use = {standing.model_id} if standing.model_id else {one.serving for one in workers if one.serving}

    def card(model_id: str) -> ModelCard:
        holders = tuple(one.label for one in workers if model_id in one.held)
        lacking = tuple(one.label for one in workers if model_id not in one.held)
        return ModelCard(model_id, told.get(model_id), known.get(model_id, 0), holders, lacking)

    names = {name for one in workers for name in one.held} | set(told)
    serves = sorted(in_use)[:1]
    return Models(
        workers,
        [card(one) for one in sorted(in_use)],
        [card(one) for one in sorted(names - in_use)],
        in_force([beat for _, beat in beats]),
        look(session, serves[0]) if serves else Look(),
        serving.count_people(session),
        card(standing.previous) if standing.previous else None,
    )


def in_force(beats: Iterable[Heartbeat]) -> InForce:
    data = [beat.data for beat in beats if beat.data.get("ready") is True]
    if not data:
        return InForce()

    def least(name: str) -> float | None:
        return min((value for one in data if (value := number(one, name)) is not None), default=None)

    def most(name: str) -> float | None:
        return max((value for one in data if (value := number(one, name)) is not None), default=None)

    return InForce(
        threshold=least("threshold"),
        limit=least("site_limit"),
        people=int(most("gallery_size") or 0),
        promised_fpir=most("promised_fpir"),
        meets_target=not any(one.get("meets_target") is False for one in data),
        accepted=least("true_accept_rate"),
        accepts_too_few=any(one.get("accepts_too_few") is True for one in data),
    )


def look(session: Session, model_id: str) -> Look:
    limits: Mapping[str, float] = calibration.limits(session)
    return Look(
        calibration.newest_look(session, model_id), limits.get(model_id), calibration.offered(session, model_id)
    )
