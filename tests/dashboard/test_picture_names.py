"""Who a folder of pictures holds, by names alone; no name, however hostile, is taken for more than a name."""

import time

import pytest

from dashboard.enrolling.picture_names import Entry, LeftOut, Plan, person_named, plan_of


def plan(*paths: str) -> Plan:
    return plan_of(Entry(tuple(path.split("/"))) for path in paths)


def people(found: Plan) -> list[tuple[str, str, int]]:
    return [(one.code, one.name, len(one.pictures)) for one in found.people]


def why(found: Plan, path: str) -> str:
    return next(item.why for item in found.left_out if item.path == path)


def test_a_folder_per_person() -> None:
    found = plan("E001_Ann_Lee/2.PNG", "E001_Ann_Lee/1.jpg", "0004/a.jpeg")
    assert people(found) == [("0004", "0004", 1), ("E001", "Ann Lee", 2)]
    assert found.people[1].pictures == ["E001_Ann_Lee/1.jpg", "E001_Ann_Lee/2.PNG"]
    assert found.left_out == []


def test_files_named_by_code_and_name() -> None:
    found = plan("E1_Ann_Lee.jpg", "E1_Ann_Lee_2.jpg", "E1_Ann_Lee_(3).jpg", "E2.webp", "E2_2.webp")
    assert people(found) == [("E1", "Ann Lee", 3), ("E2", "E2", 2)]


def test_more_than_five_pictures_are_told() -> None:
    found = plan(*(f"E1/{n}.jpg" for n in range(7)))
    assert found.people[0].pictures == [f"E1/{n}.jpg" for n in range(5)]
    assert [item.path for item in found.left_out] == ["E1/5.jpg", "E1/6.jpg"]


def test_what_cannot_be_used_is_named_with_its_reason() -> None:
    paths = ("E1/ok.jpg", "E1/notes.txt", "E1/deep/x.jpg", "E1/deep/y.jpg", "bad name!/x.jpg", "a.pdf", "no code.jpg")
    found = plan(*paths, "E3/x.txt")
    assert "not a picture" in why(found, "E1/notes.txt")
    assert "one level up" in why(found, "E1/deep")
    assert "begin with a code" in why(found, "bad name!")
    assert "not a picture" in why(found, "a.pdf")
    assert "code_name.jpg" in why(found, "no code.jpg")
    assert "no picture" in why(found, "E3")
    assert people(found) == [("E1", "E1", 1)]
    assert len(found.left_out) == 7, "each folder is named once"


def test_hidden_files_are_passed_over_in_silence() -> None:
    assert plan("E1/1.jpg", "E1/.DS_Store", "E1/Thumbs.db", ".git/x.jpg", "desktop.ini").left_out == []


def test_a_code_is_one_persons() -> None:
    found = plan("E1/1.jpg", "E1_Bob/1.jpg", "E2_Ann.jpg", "E2_Bea.jpg", "E3/1.jpg", "E3.jpg")
    assert people(found) == [("E1", "E1", 1), ("E2", "Ann", 1), ("E3", "E3", 2)]
    assert "E1 is there already" in why(found, "E1_Bob")
    assert "another name" in why(found, "E2_Bea.jpg")


def test_a_code_in_another_spelling_is_left_out() -> None:
    found = plan("E1_Ann/1.jpg", "e1_Ann/2.jpg", "A7_Bob.jpg", "a7_Bob_2.jpg")
    assert [one[0] for one in people(found)] == ["A7", "E1"]
    assert "already as E1" in why(found, "e1_Ann")
    assert "already as A7" in why(found, "a7_Bob_2.jpg")


@pytest.mark.parametrize(
    "path",
    [
        *("../E1_Ann.jpg", "../../etc/passwd.jpg", "/etc/E1.jpg", "", "/", "//E1.jpg", "E1\\..\\x_Ann/1.jpg"),
        *("E1\x1b[31m_Ann/1.jpg", "E1_Ann\x00/1.jpg", "E1_\u202eAnn.jpg", "E1_\ud800.jpg", "_Ann.jpg", "é_Ann.jpg"),
        *("E" * 40 + ".jpg", "E" * 300 + "/1.jpg", "<script>.jpg", "E1_Ann.jpg/x", "E1_Ann.jpg.exe"),
    ],
)
def test_hostile_names_are_nobody(path: str) -> None:
    assert people(plan("OK/1.jpg", path)) == [("OK", "OK", 1)]


def test_a_long_name_is_cut_to_what_the_column_holds() -> None:
    [person] = plan("E1_" + "x" * 300 + "/1.jpg").people
    assert person.name == "x" * 200


def test_the_same_path_twice_is_one_picture() -> None:
    assert people(plan("E1/1.jpg", "E1/1.jpg")) == [("E1", "E1", 1)]


def test_a_file_and_a_folder_of_one_name() -> None:
    found = plan("E1.jpg/1.jpg", "E1.jpg")
    assert people(found) == [("E1", "E1", 1), ("E1.jpg", "E1.jpg", 1)]


def test_what_cannot_be_read_says_so() -> None:
    entries = [
        Entry(("E1",), is_folder=True, unusable="locked"),
        Entry(("E2.jpg",), unusable="a link that leads nowhere"),
    ]
    assert plan_of(entries).left_out == [LeftOut("E1", "locked"), LeftOut("E2.jpg", "a link that leads nowhere")]
    assert "no picture" in why(plan_of([Entry(("E3",), is_folder=True)]), "E3")


def test_twenty_thousand_names_take_no_time() -> None:
    started_s = time.process_time()
    found = plan(*(f"E{n // 5}_Somebody_Else/{n}.jpg" for n in range(20_000)))
    assert len(found.people) == 4_000
    assert time.process_time() - started_s < 5


def test_a_code_alone_is_its_name() -> None:
    person = person_named("E1_2", is_file=True)
    assert person is not None
    assert (person.code, person.name) == ("E1", "E1")
