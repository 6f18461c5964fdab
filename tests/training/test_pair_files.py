"""Lists of pairs: what is right is read in order, what is wrong is named by its line."""

from pathlib import Path

import numpy as np
import pytest

from training import pair_files
from training.dataset import BadData, read_folder
from training.verification import BadPairs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, count in (("Ann_Lee", 3), ("Bo", 1), ("Bo_Ann", 2)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(1, count + 1):
            (tmp_path / "images" / name / f"{name}_{i:04d}.jpg").write_bytes(b"x")
    return tmp_path / "images"


def listed(root: Path, text: str | bytes, name: str = "pairs.txt") -> pair_files.PairList:
    path = root.parent / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return pair_files.read_pairs(path, root)


def test_lfw_lists_keep_their_order_and_folds(root: Path) -> None:
    found = listed(root, "2\t1\nAnn_Lee\t1\t3\nAnn_Lee\t2\tBo\t1\r\nBo_Ann\t1\t2\n\nBo\t1\tAnn_Lee\t3\n")
    assert found.folds == 2
    assert found.labels.tolist() == [1, 0, 1, 0]
    names = [[found.files[i].name for i in pair] for pair in found.pairs]
    assert names[0] == ["Ann_Lee_0001.jpg", "Ann_Lee_0003.jpg"]
    assert names[3] == ["Bo_0001.jpg", "Ann_Lee_0003.jpg"]
    assert len(found.files) == 6
    assert len(set(found.people[found.pairs[0]])) == 1


@pytest.mark.parametrize("heading", ["1\n", ""])
def test_lists_without_folds(root: Path, heading: str) -> None:
    found = listed(root, heading + "Ann_Lee 1 2\nAnn_Lee 1 Bo 1\n")
    assert (found.folds, found.labels.tolist()) == (None, [1, 0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ann_Lee\t1\n", "line 1: .*Name 1 4"),
        ("Ann_Lee\t1\t2\nAnn_Lee\tone\t2\n", "line 2"),
        ("Ann_Lee\t1\t2\tBo\t1\n", "line 1"),
        ("Ann_Lee\t1\t-2\n", "line 1"),
        ("Nobody\t1\t2\n", "line 1: 'Nobody' isn't among the people in"),
        ("../images/Bo\t1\t1\n", "line 1: '../images/Bo' isn't among"),
        ("Ann_Lee\t1\t9\n", r"line 1: .*no picture Ann_Lee_0009.* \(3 are there\)"),
        ("Ann_Lee\t2\t2\n", "line 1: Ann_Lee 2 paired with itself"),
        ("10\t300\nAnn_Lee\t1\t2\n", "announces 6000 pairs, but there are 1"),
        ("10\t300\n", "no pairs"),
        ("", "empty"),
        (b"Ann_Lee\t\xff\n", "UTF-8"),
    ],
)
def test_what_is_wrong_in_an_lfw_list_is_named(root: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(BadPairs, match=words) as caught:
        listed(root, text)
    assert "pairs.txt" in str(caught.value)


@pytest.mark.parametrize("heading", ["", "first,second,label\n", "a,b,same\n"])
def test_csv_lists(root: Path, heading: str) -> None:
    text = (
        heading + "Ann_Lee/Ann_Lee_0001.jpg,Ann_Lee/Ann_Lee_0002.jpg,1\nBo/Bo_0001.jpg,Ann_Lee/Ann_Lee_0001.jpg,False\n"
    )
    found = listed(root, text, "pairs.csv")
    assert found.labels.tolist() == [1, 0]
    assert found.people.tolist() == [0, 0, 1]


def test_people_are_only_known_where_folders_and_labels_agree(root: Path) -> None:
    found = listed(root, "Ann_Lee/Ann_Lee_0001.jpg,Bo/Bo_0001.jpg,1\n", "pairs.csv")
    assert found.people.tolist() == [0, 1]
    found = listed(root, "Ann_Lee/Ann_Lee_0001.jpg,Ann_Lee/Ann_Lee_0002.jpg,0\n", "pairs.csv")
    assert found.people.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,label\nx.jpg,Bo/Bo_0001.jpg,1\n", "line 2: 'x.jpg' is no file"),
        ("Bo/Bo_0001.jpg,,1\n", "line 1: '' is no file"),
        ("Bo/Bo_0001.jpg,Bo/Bo_0001.jpg\n", "line 1: 2 fields"),
        ("Bo/Bo_0001.jpg,Bo/Bo_0001.jpg,2\n", "line 1: label '2'"),
        ("Bo/Bo_0001.jpg,Bo/Bo_0001.jpg,yes\n", "line 1: label 'yes'"),
        ("a,b,label\n", "no rows"),
        ("\n \n", "empty"),
    ],
)
def test_what_is_wrong_in_a_csv_list_is_named(root: Path, text: str, words: str) -> None:
    with pytest.raises(BadPairs, match=words):
        listed(root, text, "pairs.csv")


@pytest.mark.parametrize("heading", ["", "distance,label\n", "\ufeffdistance,same\n"])
def test_distances(tmp_path: Path, heading: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text(heading + "0.5,1\n\n 12.25 , 0\n3e0,1.0\n")
    distances, labels = pair_files.read_distances(path)
    assert distances.tolist() == [0.5, 12.25, 3.0]
    assert labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("distance,label\n", "no rows"),
        ("1.5,1\nnan,0\n", "line 2: distance nan"),
        ("nan,nan\n", "line 1: distance nan"),
        ("1.5,1\n-0.25,0\n", "line 2: distance -0.25"),
        ("inf,0\n", "line 1: distance inf"),
        ("1.5,1\nabc,0\n", "line 2: distance 'abc' is no number"),
        ("distance,label\n1.5,2\n", "line 2: label '2'"),
        ("1.5,abc\n", "line 1: label 'abc'"),
        ("1.5\n", "line 1: 1 fields"),
        ("1.5,1,0\n", "line 1: 3 fields"),
    ],
)
def test_what_is_wrong_with_distances_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text(text)
    with pytest.raises(BadPairs, match=words) as caught:
        pair_files.read_distances(path)
    assert "d.csv" in str(caught.value)


def test_a_list_that_isnt_there(tmp_path: Path) -> None:
    for read in (pair_files.read_distances, lambda path: pair_files.read_pairs(path, tmp_path)):
        with pytest.raises(BadPairs, match=r"no\.csv: can't be read"):
            read(tmp_path / "no.csv")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("inner", ["images", "lfw", "."])
def test_lfw_is_found_in_each_layout(tmp_path: Path, inner: str) -> None:
    (tmp_path / inner / "Ann").mkdir(parents=True)
    assert pair_files.lfw_images(tmp_path) == tmp_path / inner
    with pytest.raises(BadData, match="no pictures there"):
        pair_files.lfw_images(tmp_path / "nothing")


def test_drawn_pairs_are_half_and_half_and_follow_the_seed(root: Path) -> None:
    folder = read_folder(root)
    found, again = (pair_files.drawn_pairs(folder, 30, seed=4) for _ in range(2))
    assert found.labels.tolist() == [1, 0] * 15
    np.testing.assert_array_equal(found.pairs, again.pairs)
    people = found.people[found.pairs]
    np.testing.assert_array_equal(people[:, 0] == people[:, 1], found.labels == 1)
    assert (found.pairs[:, 0] != found.pairs[:, 1]).all()
    with pytest.raises(BadData, match="a person with two pictures"):
        pair_files.drawn_pairs(folder.part([3]), 30, seed=4)
