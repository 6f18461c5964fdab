"""Which models can teach: only those whose template is as long as the student's."""

from pathlib import Path

import pytest

from tests.training.drawn_people import TinyEmbedder, write_people
from training import teacher
from training.dataset import read_folder
from worker.protocol.bundle import BadBundle


class Wide(TinyEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.info = self.info.model_copy(update={"embedding_size": 256})


def test_a_teacher_of_other_than_128_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "open_model", lambda name, *, cache: Wide())
    folder = read_folder(write_people(tmp_path / "faces", {"a": 2}))
    with pytest.raises(BadBundle, match="fusion gives 256 numbers, a teacher 128; name one of its parts"):
        teacher.teacher_embeddings("fusion", folder, "five-points", tmp_path)


def test_pictures_that_are_cut_already_are_only_resized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "open_model", lambda name, *, cache: TinyEmbedder())
    folder = read_folder(write_people(tmp_path / "faces", {"a": 2, "b": 1}))
    found = teacher.teacher_embeddings("sface", folder, "five-points", tmp_path)
    assert found.shape == (3, 128)
