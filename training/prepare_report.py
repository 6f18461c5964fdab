"""What became of the pictures that were prepared: counts, and by name those that are missing now and why."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from training.dataset import BadData, Duplicates, FaceFolder, find_duplicates
from training.face_cropper import Outcome, Prepared
from training.whole_file import write_whole

NAME = "prepare-report.json"


@dataclass(frozen=True)
class Report:
    pictures: int
    identities: int
    already: int
    """Done by an earlier run."""
    outcomes: dict[str, int]
    """Pictures by outcome."""
    several_faces: int
    """Pictures in which more than the one that was taken was found."""
    no_face: list[str]
    faceless_kept: list[str]
    corrupt: dict[str, str]
    """File → reason."""
    dropped_duplicates: list[str]
    duplicates: Duplicates
    """By the bytes of the sources."""
    one_picture: list[str]
    """People with one prepared picture: nobody's anchor, only ever a negative."""
    left_out: list[str]
    """People with no prepared picture at all."""

    @staticmethod
    def of(folder: FaceFolder, records: Sequence[Prepared], already: int) -> "Report":
        by: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
        for record in records:
            by[record.outcome].append(record.file)
        usable = Counter(record.file.split("/")[0] for record in records if record.output_bytes)
        hashed = [record for record in records if record.sha256]
        return Report(
            pictures=len(records),
            identities=len(usable),
            already=already,
            outcomes={outcome.value: len(files) for outcome, files in by.items()},
            several_faces=sum(record.faces > 1 for record in records),
            no_face=by[Outcome.NO_FACE],
            faceless_kept=by[Outcome.FACELESS_KEPT],
            corrupt={record.file: record.reason for record in records if record.outcome is Outcome.CORRUPT},
            dropped_duplicates=by[Outcome.DUPLICATE],
            duplicates=find_duplicates([r.file for r in hashed], [r.sha256 for r in hashed]),
            one_picture=sorted(name for name, count in usable.items() if count == 1),
            left_out=[name for name in folder.identities if not usable[name]],
        )

    @property
    def usable(self) -> int:
        return self.outcomes[Outcome.FACE] + self.outcomes[Outcome.FACELESS_KEPT]

    def write(self, path: Path) -> None:
        """As JSON, or as CSV (file, finding, detail) for a name in .csv; whole or not at all. Raises BadData."""
        text = self._csv() if path.suffix == ".csv" else json.dumps(asdict(self), indent=1) + "\n"
        try:
            write_whole(path, text, errors="surrogateescape")  # names needn't be UTF-8
        except OSError as error:
            raise BadData(f"{path}: can't be written ({error.strerror})") from None

    def _csv(self) -> str:
        quoted = (",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in self.findings())
        return "\n".join(["file,finding,detail", *quoted, ""])

    def findings(self) -> Iterator[tuple[str, str, str]]:
        """(file or person, finding, detail) of everything that somebody may want to look at."""
        yield from ((file, "no_face", "") for file in self.no_face)
        yield from ((file, "faceless_kept", "its centre was taken") for file in self.faceless_kept)
        yield from ((file, "corrupt", reason) for file, reason in self.corrupt.items())
        for finding, groups in (("copy", self.duplicates.within), ("copy_of_others", self.duplicates.across)):
            yield from ((file, finding, " = ".join(group)) for group in groups for file in group)
        yield from ((name, "one_picture", "only ever a negative") for name in self.one_picture)
        yield from ((name, "left_out", "no usable picture") for name in self.left_out)

    def words(self) -> Iterator[str]:
        """A few lines for the terminal."""
        yield f"{self.usable} faces of {self.identities} people from {self.pictures} pictures ({self.already} were done)"
        counts = (
            (len(self.no_face), "without a face: left out"),
            (len(self.faceless_kept), "without a face: their centre was taken"),
            (len(self.corrupt), "that can't be read: left out"),
            (self.several_faces, "with several faces: the largest near the centre was taken"),
            (len(self.duplicates.within), "times the same picture of one person"),
            (len(self.duplicates.across), "times the same picture of several people"),
            (len(self.dropped_duplicates), "copies dropped"),
            (len(self.one_picture), "people with one picture only"),
            (len(self.left_out), "people without a usable picture"),
        )
        yield from (f"  {count} {text}" for count, text in counts if count)
