"""The month that a page is asked for."""

from datetime import date

import pytest

from dashboard.months.asked_month import BadMonth, of, read

TODAY = date(2026, 11, 24)


def test_months_follow_each_other() -> None:
    january = read("2026-01", TODAY)
    assert january.before is not None
    assert january.after is not None
    assert (january.before.text, january.after.text, january.words) == ("2025-12", "2026-02", "January 2026")
    assert (january.first, january.last) == (date(2026, 1, 1), date(2026, 1, 31))
    assert of(date(2024, 2, 29)).last == date(2024, 2, 29)
    assert read("", TODAY).text == "2026-11"
    assert (read("2000-01", TODAY).before, read("2099-12", TODAY).after) == (None, None)


@pytest.mark.parametrize(
    "text", ["2026", "2026-13", "2026-00", "2026-1", "2026-11-24", "x", "9999-01", "1999-12", "²026-11"]
)
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(BadMonth, match="write it as 2026-11, of 2000 to 2099"):
        read(text, TODAY)
