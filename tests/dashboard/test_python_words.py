"""What Python says to a reader of a page goes through gettext, as far as the sources show it: words are texts of two words or
more, or that begin with a capital letter. What may stay English says why here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).parents[2] / "dashboard"
SPOKEN = {
    "_": 1,
    "gettext": 1,
    "lazy_gettext": 1,
    "ngettext": 2,
    "lazy_ngettext": 2,
    "pgettext": 2,
    "lazy_pgettext": 2,
}
"""Calls that translators are shown, with how many of their arguments are words."""
WORDS = re.compile(r"[A-Za-z’']{2,} [a-z(“]|^[A-Z][a-z]+|[a-z]: ")
TECHNICAL = re.compile(r"[A-Z][A-Za-z]*(-[A-Z][A-Za-z]*)+")
"""The name of a header."""

ENGLISH_ROOMS = {
    "api": "other systems, in English (keys.py is said on a page too)",
    "connectors": "the command line, and Frappe's own words",
    "days": "mistakes of ours; forms say what is wrong themselves, months/day_words.py what a day holds",
    "gallery": "the command line and the log",
    "migrations": "the schema",
    "models": "the schema",
    "recording": "the recorder's log",
    "webhooks": "the API and the command line",
}
ENGLISH_FILES = {
    "access/rights.py": "who adds a page without saying who may reach it",
    "app.py": "headers",
    "auditing/audit.py": "the command line: whether the trail is whole",
    "database.py": "the command line",
    "deliverer.py": "the log",
    "enrolling/worker_requests.py": "a worker's reason, which is added in brackets",
    "live/arrivals.py": "a stream for a script",
    "months/sheet_fonts.py": "names of fonts",
    "settings.py": "the command line",
    "wiping.py": "SQL and the log",
}
ENGLISH_TEXTS = {
    ("access/browsers.py", "BROWSERS"): "names",
    ("access/browsers.py", "SYSTEMS"): "names",
    ("access/login_pages.py", "FAILED_LOGINS"): "a rule for flask-limiter",
    ("access/login_pages.py", "FAILED_CODES"): "a rule for flask-limiter",
    ("access/login_pages.py", "second_step"): "the audit trail",
    ("access/roles.py", "parse"): "the command line",
    ("access/second_factor.py", "ISSUER"): "a name that an authenticator app keeps",
    ("access/second_factor.py", "_keyed"): "a key's purpose",
    ("api/keys.py", "revoke"): "the command line; a page says that there is nothing at this address",
    ("auditing/audit_pages.py", "CSV_COLUMNS"): "a file for machines",
    ("enrolling/pictures.py", "_rgb"): "a kind of picture",
    ("months/day_store.py", "_rows"): "a mistake of ours; pages ask for months, the API says its own words",
    ("people/employees.py", "clean"): "categories of Unicode",
    ("people/erasing.py", "erase"): "what the records are kept under, in every language",
    ("people/people_import.py", "HEADERS"): "what a column may be called",
    ("people/people_import_apply.py", "apply"): "a mistake of ours; the page refuses such a plan",
    ("tables/xlsx_export.py", "_table"): "the name of a style",
    ("web/cursors.py", "unpack"): "read_place and the API say their own words",
    ("web/languages.py", "LANGUAGES"): "each language's name for itself",
    ("web/languages.py", "choose"): "an attribute of a cookie",
    ("web/locales.py", "day_of_some_year"): "a pattern",
    ("web/locales.py", "day_of_year"): "a pattern",
    ("web/locales.py", "day_of_month"): "a pattern",
    ("web/locales.py", "month_words"): "a pattern",
    ("web/script_words.py", "CAMERA"): "a browser's names for errors",
}
"""By file and the function or table that holds them."""

FILES = [
    path
    for path in sorted(DASHBOARD.rglob("*.py"))
    if path.relative_to(DASHBOARD).parts[0] not in ENGLISH_ROOMS or path.name == "keys.py"
]


def name_of(path: Path) -> str:
    return path.relative_to(DASHBOARD).as_posix()


def parents_of(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def called(node: ast.AST) -> str:
    """The function of a call; empty for anything else."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def text_of(node: ast.AST) -> str | None:
    """The words of a text that stands by itself, without the values of an f-string."""
    if isinstance(node, ast.JoinedStr):
        return "\0".join(part.value for part in node.values if isinstance(part, ast.Constant))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def unspoken(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """Words outside of gettext: the function or table that holds them, the line, the words."""
    parents = parents_of(tree)
    for node in ast.walk(tree):
        text = text_of(node)
        above = parents.get(node)
        if text is None or isinstance(above, ast.JoinedStr | ast.Expr) or TECHNICAL.fullmatch(text):
            continue  # parts of an f-string are looked at with it; an expression by itself is a docstring
        if not WORDS.search(text):
            continue
        way = [node]
        while way[-1] in parents:
            way.append(parents[way[-1]])
        if any(called(one) in SPOKEN or called(one).startswith("log.") for one in way):
            continue
        if any(isinstance(one, ast.AnnAssign) and one.annotation in way for one in way):
            continue
        if any(isinstance(one, ast.FunctionDef) and (one.returns in way or one.args in way) for one in way):
            continue
        yield holder(way), node.lineno, text


def holder(way: list[ast.AST]) -> str:
    """The outermost function, class's method or table."""
    for one in reversed(way):
        if isinstance(one, ast.FunctionDef):
            return one.name
        if isinstance(one, ast.Assign):
            return ast.unparse(one.targets[0])
        if isinstance(one, ast.AnnAssign):
            return ast.unparse(one.target)
    return ""


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_words_go_through_gettext(path: Path) -> None:
    if name_of(path) in ENGLISH_FILES:
        return
    found = [
        f"{path.name}:{line}: {text!r}, in {where}"
        for where, line, text in unspoken(ast.parse(path.read_text()))
        if (name_of(path), where) not in ENGLISH_TEXTS
    ]
    assert found == []


def test_every_exception_is_needed() -> None:
    for name in ENGLISH_FILES:
        assert list(unspoken(ast.parse((DASHBOARD / name).read_text()))), name
    for name, where in ENGLISH_TEXTS:
        assert where in {one for one, *_ in unspoken(ast.parse((DASHBOARD / name).read_text()))}, (name, where)


@pytest.mark.parametrize("path", sorted(DASHBOARD.rglob("*.py")), ids=name_of)
def test_words_are_written_so_that_translators_are_shown_them(path: Path) -> None:
    """Whole, not put together from parts nor inside an f-string, which pybabel passes over; and `_` is gettext alone."""
    tree = ast.parse(path.read_text())
    parents = parents_of(tree)
    for node in ast.walk(tree):
        words = node.args[: SPOKEN[called(node)]] if isinstance(node, ast.Call) and called(node) in SPOKEN else []
        if all(isinstance(one, ast.Name | ast.Attribute) for one in words):
            continue  # said elsewhere
        assert all(isinstance(one, ast.Constant) for one in words), f"{path.name}:{node.lineno}"
        above: ast.AST | None = node
        while above is not None:
            assert not isinstance(above, ast.JoinedStr), f"{path.name}:{node.lineno}: inside an f-string"
            above = parents.get(above)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and any(called(one) == "_" for one in ast.walk(function)):
            own = [
                one for one in ast.walk(function) if not isinstance(parents.get(parents.get(one)), ast.comprehension)
            ]
            bound = [
                one for one in own if isinstance(one, ast.Name) and one.id == "_" and isinstance(one.ctx, ast.Store)
            ]
            bound = [one for one in bound if not isinstance(parents[one], ast.comprehension)]
            assert not bound, f"{path.name}:{function.lineno}: {function.name} uses _ for something else too"
