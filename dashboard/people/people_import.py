"""Import of people from a table: what each row would do, said before anything is done, and then exactly that.

The code says who somebody is. A row with a new code adds a person, one with a known code changes what differs; an empty
cell leaves what is there. Consent can be given by a table, never withdrawn: that deletes a face, which is done on the
person's own page. A plan with a problem in any row isn't applied at all.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.models import Employee
from dashboard.people.employees import FIELDS, MAX_CODE, MAX_NAME, EmployeeError, clean
from dashboard.tables.csv_export import FORMULA_STARTS
from dashboard.tables.tables import BadTable, Table
from dashboard.web.folding import folded

HEADERS = {
    "code": (
        "code",
        "employee code",
        "employee no",
        "kode",
        "kode karyawan",
        "nik",
        "nip",
        "no karyawan",
        "nomor karyawan",
    ),
    "name": ("name", "full name", "employee name", "nama", "nama lengkap", "nama karyawan"),
    "department": ("department", "dept", "departemen", "bagian", "divisi", "unit kerja"),
    "consent": ("consent", "persetujuan"),
}
"""What a column may be called, in English and Indonesian; case, accents, spaces and punctuation aside."""
COLUMN_OF = {title: column for column, titles in HEADERS.items() for title in titles}
NEEDED = ("code", "name")
YES = frozenset({"yes", "y", "ya", "true", "1", "x", "✓"})
NO = frozenset({"", "no", "n", "tidak", "false", "0", "-"})
SHEET_ERROR = re.compile(r"#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NULL!|NUM!)")
CHUNK = 500
"""Rows whose people are looked up by one statement."""


@dataclass(frozen=True, slots=True)
class Problem:
    column: str
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Change:
    column: str
    before: str
    after: str


@dataclass(slots=True)
class ImportRow:
    """One row of the file and what it would do: `kind` is new, changed, unchanged or problem."""

    number: int
    code: str
    name: str
    department: str
    consent: bool
    kind: str = "new"
    employee_id: str | None = None
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What an import would do with the database as it is now."""

    how: str
    rows: list[ImportRow]
    unread: list[str]
    """Titles of columns that nothing is taken from."""
    digest: str
    """Changes with anything that the plan says: what is applied is compared by it with what was shown."""

    def count(self, kind: str) -> int:
        return sum(row.kind == kind for row in self.rows)

    @property
    def applicable(self) -> bool:
        return not self.count("problem") and any(row.kind in ("new", "changed") for row in self.rows)


def columns_of(titles: list[str]) -> tuple[dict[str, int], list[str]]:
    """Where the columns are, and the titles that aren't read; raises BadTable where one is missing or there twice."""
    found: dict[str, int] = {}
    unread = []
    for place, title in enumerate(titles):
        column = COLUMN_OF.get(" ".join(re.findall(r"\w+", folded(title))))
        if column is None:
            unread += [title[:60]] if title else []
        elif column in found:
            raise BadTable(
                _(
                    "Two columns are for the %(column)s: “%(first)s” and “%(second)s”. Rename or delete one.",
                    column=FIELDS[column],
                    first=titles[found[column]],
                    second=title,
                )
            )
        else:
            found[column] = place
    missing = [column for column in NEEDED if column not in found]
    if missing:
        names = str(FIELDS[missing[0]])
        if len(missing) > 1:  # NEEDED are two
            names = _("%(first)s and %(second)s", first=names, second=FIELDS[missing[1]])
        known = "; ".join(f"{FIELDS[column]}: {', '.join(HEADERS[column][:4])} …" for column in missing)
        raise BadTable(
            _(
                "The first row must hold the columns’ titles; there is none for %(missing)s among “%(titles)s”. "
                "Titles that are understood: %(known)s",
                missing=names,
                titles=", ".join(titles[:10])[:200],
                known=known,
            )
        )
    return found, unread


def plan(session: Session, table: Table) -> Plan:
    """What importing `table` would do. Raises BadTable."""
    rows = table.rows
    titles = next(rows)[1]  # there is one: an empty file has raised BadTable
    columns, unread = columns_of(titles)
    seen: dict[str, int] = {}
    made: list[ImportRow] = []
    chunk: list[ImportRow] = []
    for number, cells in rows:
        chunk.append(_row(number, cells, columns, len(titles), seen))
        if len(chunk) == CHUNK:
            _compare(session, chunk)
            made, chunk = made + chunk, []
    _compare(session, chunk)
    made += chunk
    if not made:
        raise BadTable(_("The file has titles and no row below them."))
    digest = hashlib.sha256()
    for row in made:
        digest.update(
            repr((row.number, row.kind, row.code, row.name, row.department, row.consent, row.changes)).encode()
        )
    return Plan(table.how, made, unread, digest.hexdigest())


def _row(number: int, cells: list[str], columns: dict[str, int], width: int, seen: dict[str, int]) -> ImportRow:
    """A row read by itself: valid texts, and no code that was there before."""
    texts = {column: _plain(cells[place]) if place < len(cells) else "" for column, place in columns.items()}
    row = ImportRow(number, texts["code"], texts["name"], texts.get("department", ""), False)
    for column, longest in (("code", MAX_CODE), ("name", MAX_NAME), ("department", MAX_NAME)):
        value = getattr(row, column)
        try:
            if SHEET_ERROR.fullmatch(value):
                raise EmployeeError(
                    column,
                    _("%(column)s: the spreadsheet shows an error here; correct the cell", column=FIELDS[column]),
                )
            setattr(row, column, clean(column, value, longest, required=column == "code"))
        except EmployeeError as error:
            row.problems.append(Problem(column, value[:80], str(error).removeprefix(f"{FIELDS[column]}: ")))
    consent = folded(texts.get("consent", ""))
    if consent in YES:
        row.consent = True
    elif consent not in NO:
        row.problems.append(Problem("consent", texts["consent"][:80], _("write yes or ya, or leave it empty")))
    if len(cells) > width:
        extra = ", ".join(cells[width:])[:80]
        words = _(
            "%(count)s more cells than there are titles; a separator inside a text needs quotation marks",
            count=len(cells) - width,
        )
        row.problems.append(Problem("", extra, words))
    first = seen.setdefault(row.code, number) if row.code else number
    if first != number:
        row.problems.append(
            Problem("code", row.code, _("row %(number)s has the same code; keep one of them", number=first))
        )
    return row


def _plain(text: str) -> str:
    """Without line breaks inside, and without the apostrophe that our own export puts before a formula's sign."""
    text = " ".join(text.split()) if any(c in text for c in "\r\n\t") else text.strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA_STARTS) else text


def _compare(session: Session, rows: list[ImportRow]) -> None:
    """With who is in the database: sets each row's kind and changes."""
    columns = (Employee.id, Employee.code, Employee.name, Employee.department, Employee.consent_ms)
    codes = [row.code for row in rows if row.code and not row.problems]
    known = (
        {one.code: one for one in session.execute(select(*columns).where(Employee.code.in_(codes)))} if codes else {}
    )
    for row in rows:
        person = known.get(row.code)
        if person is None:
            if not row.name and not any(problem.column == "name" for problem in row.problems):
                row.problems.append(Problem("name", "", _("must not be empty for somebody new")))
        else:
            row.employee_id = person.id
            row.changes = [
                Change(column, before, after)
                for column, before, after in (
                    ("name", person.name, row.name),
                    ("department", person.department, row.department),
                    ("consent", "yes" if person.consent_ms else "no", "yes" if row.consent else ""),
                )
                if after and after != before
            ]
            row.kind = "changed" if row.changes else "unchanged"
        if row.problems:
            row.kind = "problem"


def report(rows: list[ImportRow]) -> Iterator[list[str]]:
    """The plan as a table to download: a line for each problem and change, one for each other row."""
    yield [_("Row"), _("What"), _("Code"), _("Column"), _("Before"), _("In the file"), _("What to do")]
    for row in rows:
        lines = [[problem.column, "", problem.value, problem.words] for problem in row.problems]
        lines = lines or [[change.column, change.before, change.after, ""] for change in row.changes]
        for line in lines or [["", "", row.name, ""]]:
            yield [str(row.number), row.kind, row.code, *line]
