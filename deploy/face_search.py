"""What `attendance query`, `verify` and `classify` do around the training room: models, progress, words and JSON."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.errors import Problem, settings_from
from deploy.looking_bar import looking_bar
from training.classify import classify as classify_photos
from training.contact_sheet import Tile, check_name, write_sheet
from training.dataset import BadData
from training.embedding import open_detector, open_model
from training.face_gallery import FaceGallery, Photo, load_gallery, look
from training.pictures import BadPicture
from training.query import Answer, ask
from training.template_cache import BadCache
from training.verify import Verdict
from training.verify import verify as verify_photos
from worker.detector import Detector
from worker.embedder import Embedder
from worker.protocol.bundle import BadBundle
from worker.settings import WorkerSettings


@dataclass(frozen=True)
class Model:
    name: str
    device: str = "auto"


@dataclass(frozen=True)
class _Tools:
    model: Embedder
    detector: Detector
    cache: Path
    started_s: float

    def common(self) -> dict[str, Any]:
        return {"model_id": self.model.info.id, "seconds": round(time.perf_counter() - self.started_s, 3)}


def query(model: Model, photo: Path, gallery: Path, top: int, fpir: float, sheet: Path | None, as_json: bool) -> int:
    """0 when it was answered, whoever it is. Raises Problem."""
    with _tools(model, sheet) as tools:
        seen = look(tools.model, tools.detector, photo)
        known = _gallery(tools, gallery)
        answer = ask(seen, known, tools.model.info, top, fpir)
        if sheet is not None:
            _query_sheet(answer, known, tools, sheet)
        if as_json:
            people = [
                {
                    "person": p.person,
                    "distance": round(p.distance, 6),
                    "within_threshold": p.within_threshold,
                    "nearest": p.nearest,
                    "pictures": p.pictures,
                }
                for p in answer.people
            ]
            found = {
                "photo": str(photo),
                "face_found": seen.face_found,
                "accepted": answer.accepted,
                "people": people,
                "threshold": round(answer.threshold.distance, 6),
                "promised_fpir": answer.threshold.promised_fpir,
            }
            print(json.dumps({**found, **_about(known), **tools.common()}))
            return 0
        table = Table("person", "distance", "nearest picture", "", title=f"{photo.name}: threshold {_limit(answer)}")
        for p in answer.people:
            verdict = "below the threshold" if p.within_threshold else ""
            table.add_row(escape(p.person), f"{p.distance:.3f}", escape(p.nearest), verdict)
        Console().print(table)
        who = answer.accepted or "nobody in the gallery by this threshold"
        print(f"{photo}: {who}" if seen.face_found else _faceless(photo))
        _say_left_out(known)
    return 0


def verify(model: Model, a: Path, b: Path, far: float, sheet: Path | None, as_json: bool) -> int:
    """0 when it was answered, whatever the answer. Raises Problem."""
    with _tools(model, sheet) as tools:
        first, second = (look(tools.model, tools.detector, path) for path in (a, b))
        verdict = verify_photos(first, second, tools.model.info, far)
        if sheet is not None:
            _verify_sheet(verdict, sheet)
        if as_json:
            found = {
                "a": str(a),
                "b": str(b),
                "same": verdict.same,
                "faces_found": [verdict.a.face_found, verdict.b.face_found],
                "distance": round(verdict.distance, 6),
                "threshold": round(verdict.threshold, 6),
                "false_match_rate": verdict.false_match_rate,
                "strictest_false_match_rate": verdict.strictest_rate,
                "threshold_source": tools.model.info.threshold_source,
            }
            print(json.dumps({**found, **tools.common()}))
            return 0
        held = f"holds down to FAR {verdict.strictest_rate:g}" if verdict.strictest_rate else "holds at no measured FAR"
        print(verdict.words)
        print(f"distance {verdict.distance:.3f}, threshold {verdict.threshold:.3f} (FAR {verdict.false_match_rate:g})")
        print(f"taking them for one person {held}" if verdict.same is not None else "nothing follows from the distance")
    return 0


def classify(model: Model, photos: Sequence[Path], gallery: Path, method: str, fpir: float, as_json: bool) -> int:
    """0 when each photograph was answered. Raises Problem."""
    with _tools(model, None) as tools:
        seen = [look(tools.model, tools.detector, path) for path in photos]
        known = _gallery(tools, gallery)
        chosen = cast(Literal["nearest", "svm"], method)
        answers = classify_photos(seen, known, tools.model.info, chosen, fpir)
        if as_json:
            rows = [
                {
                    "photo": str(answer.photo.path),
                    "person": answer.person,
                    "resembles": answer.resembles,
                    "distance": round(answer.distance, 6),
                    "face_found": answer.photo.face_found,
                }
                for answer in answers
            ]
            found = {"method": method, "threshold": round(answers[0].threshold, 6), "photos": rows}
            print(json.dumps({**found, **_about(known), **tools.common()}))
            return 0
        table = Table("photograph", "person", "distance", "", title=f"threshold {answers[0].threshold:.3f}, {method}")
        for answer in answers:
            why = f"rejected; most like {answer.resembles}" if answer.person is None else ""
            why = why if answer.photo.face_found else "rejected: no face was found"
            cells = (str(answer.photo.path), answer.person or "unknown", f"{answer.distance:.3f}", why)
            table.add_row(*(escape(cell) for cell in cells))
        Console().print(table)
        _say_left_out(known)
    return 0


@contextmanager
def _tools(model: Model, sheet: Path | None) -> Iterator[_Tools]:
    started_s = time.perf_counter()
    try:
        if sheet is not None:
            check_name(sheet)
        cache = settings_from(WorkerSettings).cache
        opened = open_model(model.name, cache=cache, threads=0, device=model.device)
        yield _Tools(opened, open_detector(cache), cache, started_s)
    except (BadData, BadPicture, BadBundle, BadCache) as error:
        raise Problem(str(error)) from None


def _gallery(tools: _Tools, root: Path) -> FaceGallery:
    with looking_bar("looking at the gallery") as step:
        return load_gallery(tools.model, tools.detector, root, cache=tools.cache, on_progress=step)


def _about(gallery: FaceGallery) -> dict[str, Any]:
    return {
        "gallery_people": len(gallery.folder.identities),
        "gallery_pictures": len(gallery),
        "gallery_without_face": gallery.without_face,
        "gallery_unreadable": gallery.unreadable,
    }


def _say_left_out(gallery: FaceGallery) -> None:
    if gallery.without_face:
        print(f"{len(gallery.without_face)} pictures of the gallery show no face and were left out", file=sys.stderr)
    for file, why in gallery.unreadable.items():
        print(f"{file} was left out: {why}", file=sys.stderr)


def _faceless(photo: Path) -> str:
    return f"{photo}: no face was found, so nobody is accepted; the list compares the picture's centre"


def _limit(answer: Answer) -> str:
    limit = answer.threshold
    return f"{limit.distance:.3f} (a stranger is accepted with a chance of at most {limit.promised_fpir:.2g})"


def _query_sheet(answer: Answer, gallery: FaceGallery, tools: _Tools, path: Path) -> None:
    tiles = [_photo_tile(answer.photo)]
    for person in answer.people:
        chip = look(tools.model, tools.detector, gallery.folder.root / person.nearest).chip
        below = person.within_threshold and answer.photo.face_found
        words = f"{person.distance:.3f}" + (" below threshold" if below else "")
        tiles.append(Tile(chip, f"{person.person}\n{words}", "good" if below else "plain"))
    write_sheet(tiles, path, f"threshold {answer.threshold.distance:.3f}, model {tools.model.info.id}")


def _verify_sheet(verdict: Verdict, path: Path) -> None:
    frame = {True: "good", False: "bad", None: "plain"}[verdict.same]
    tiles = [_photo_tile(photo, frame) for photo in (verdict.a, verdict.b)]
    words = {True: "same person", False: "different people", None: "undecided: no face found"}[verdict.same]
    write_sheet(tiles, path, f"{words}: {verdict.distance:.3f}, threshold {verdict.threshold:.3f}")


def _photo_tile(photo: Photo, frame: str = "plain") -> Tile:
    return Tile(photo.chip, f"{photo.path.name}\n" + ("" if photo.face_found else "no face found: its centre"), frame)
