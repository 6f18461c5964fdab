"""People in several takes, the kiosk's real case: enrolled from one take, seen in another, on another day or with glasses on.

PERSON/TAKE/frames below the data. Each take of a person who has several is enrolled in turn, and the frames of that person's
other takes are the genuine probes; everybody else's frames are impostors. Who has one take is only ever a stranger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import rates, takes_door, verification
from training.dataset import BadData, read_folder
from training.outcome import Outcome
from training.protocols import SHOWN_FAR, Subject
from training.takes_door import Door, Entry
from training.verification import BadPairs, Floats
from worker.protocol.bundle import serving_threshold

ENROLLED = 3
"""Frames that a person is enrolled by, evenly spaced over the take, as three pictures are taken at a desk."""
FPIR = 1e-3
"""Of the threshold `served`: what a worker sets for a gallery of this size unless the site says otherwise."""


@dataclass(frozen=True)
class Takes:
    """Frames by person and take; those of a take stand together, in the order of their names."""

    files: list[Path]
    people: NDArray[np.int64]
    """(files,) whose frame each is."""
    takes: NDArray[np.int64]
    """(files,) of which take, counted over everybody."""
    names: list[str]
    """Of people."""
    take_names: list[str]
    """PERSON/TAKE."""

    def frame(self, number: int) -> str:
        """PERSON/TAKE/file, for the result."""
        return f"{self.take_names[self.takes[number]]}/{self.files[number].name}"


def read_takes(data: Path) -> Takes:
    """Raises BadData for a frame that lies in no take, and where nobody has two takes or nobody else is there."""
    folder = read_folder(data)
    loose = next((file for file in folder.files if file.count("/") < 2), None)
    if loose is not None:
        raise BadData(f"{data / loose}: lies in no take; put PERSON/TAKE/frame below the folder given with --data")
    take_of = ["/".join(file.split("/")[:2]) for file in folder.files]
    take_names, takes = np.unique(take_of, return_inverse=True)
    found = Takes(
        [folder.path(i) for i in range(len(folder))],
        folder.labels,
        takes.astype(np.int64),
        folder.identities,
        [str(name) for name in take_names],
    )
    if len(take_names) == len(folder.identities):
        raise BadData(f"{data}: nobody in it has two takes; one is enrolled and the other recognised")
    if len(folder.identities) < 2:
        raise BadData(f"{data}: one person only, but false accepts need somebody else")
    return found


def enrol(found: Takes, face_found: NDArray[np.bool_], frames: int = ENROLLED) -> list[Entry]:
    """An entry for each take of the people who have several; frames without a face can't be enrolled by.

    `round` is the take's place among its person's takes: entries of one round stand in the gallery together.
    """
    entries = []
    for person in range(len(found.names)):
        own = np.unique(found.takes[found.people == person])
        if len(own) < 2:
            continue
        for number, take in enumerate(own):
            usable = np.flatnonzero((found.takes == take) & face_found)
            if len(usable):
                entries.append(Entry(person, int(take), number, evenly(usable, frames)))
    return entries


def evenly(numbers: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most `count` of them, the middles of as many equal parts."""
    if len(numbers) <= count:
        return numbers
    return numbers[((np.arange(count) + 0.5) * len(numbers) / count).astype(np.int64)]


def takes(subject: Subject, data: Path) -> Outcome:
    """Rates over all frames, and what the door would have done at the model's thresholds. Raises BadData, BadPairs."""
    found = read_takes(data)
    seen = subject.embed(found.files)
    entries = enrol(found, seen.found)
    if not entries:
        raise BadPairs(f"{data}: no face was found in the takes of those who have several, so nobody can be enrolled")
    distances = entry_distances(seen.templates, entries)
    outcome = _outcome(subject, found, Door(distances, entries, found.people, found.takes, seen.found))
    outcome.figures |= {"faces_not_found": seen.faces_not_found, "pictures": len(found.files)}
    return outcome


def entry_distances(templates: NDArray[np.float32], entries: Sequence[Entry]) -> Floats:
    """(frames, entries): of each frame to the nearest template of each entry, in float64."""
    every = templates.astype(np.float64)
    columns = [
        np.linalg.norm(every[:, None, :] - every[entry.frames][None, :, :], axis=2).min(axis=1) for entry in entries
    ]
    return np.stack(columns, axis=1)


def _outcome(subject: Subject, found: Takes, door: Door) -> Outcome:
    rows, columns, same = door.pairs()
    d = door.distances[rows, columns]
    owners = np.array([entry.person for entry in door.entries])
    whose = np.stack([owners[columns], found.people[rows]], axis=1)
    scored, curve = rates.scored_pairs(d, same, whose), verification.roc(d, same)
    table = rates.tar_table(scored, seed=subject.seed)
    shown = table[rates.far_name(SHOWN_FAR)]
    figures: dict[str, Any] = {
        "auc": curve.auc,
        "eer": verification.eer(curve),
        "tar_at_far": table,
        "tar_at_far_with_few_errors": rates.few_errors_table(scored),
        "threshold": shown and shown["threshold"],
        "pairs": len(d),
        "genuine_pairs": len(scored.genuine),
        "impostor_pairs": scored.impostors,
        "people": len(found.names),
        "people_enrolled": len({entry.person for entry in door.entries}),
        "takes": len(found.take_names),
        "frames_enrolled_by": ENROLLED,
        "at_threshold": {
            name: takes_door.row(door, threshold, found.names, found.take_names)
            for name, threshold in thresholds(subject, door).items()
        },
        "by_person": _by_person(found, door),
    }
    return Outcome(figures, {"": curve})


def thresholds(subject: Subject, door: Door) -> dict[str, float]:
    """The model's own by their rates, and `served`: a worker's for a gallery of as many templates. None are there for a
    network that was never calibrated."""
    info = subject.model.info
    if not info.thresholds:
        return {}
    gallery = max(sum(len(entry.frames) for entry in door.entries if entry.round == number) for number in door.rounds())
    by_rate = {rates.far_name(t.false_match_rate): t.distance for t in info.thresholds}
    return by_rate | {"served": serving_threshold(info, gallery, FPIR).distance}


def _by_person(found: Takes, door: Door) -> dict[str, Any]:
    """Of everybody enrolled: the nearest and the farthest of their own frames, and the nearest frame of anybody else."""
    people = {}
    rows, columns, same = door.pairs()
    d = door.distances[rows, columns]
    owners = np.array([entry.person for entry in door.entries])[columns]
    for person in np.unique(owners):
        genuine, strangers = (np.flatnonzero((owners == person) & (same == kind)) for kind in (1, 0))

        def told(place: np.intp) -> dict[str, Any]:
            return {"distance": float(d[place]), "frame": found.frame(int(rows[place]))}

        people[found.names[person]] = {
            "nearest_genuine": told(genuine[d[genuine].argmin()]) if len(genuine) else None,
            "worst_frame": told(genuine[d[genuine].argmax()]) if len(genuine) else None,
            "nearest_stranger": told(strangers[d[strangers].argmin()]) if len(strangers) else None,
        }
    return people
