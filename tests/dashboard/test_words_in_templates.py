"""No template says a word past gettext: not in a text, nor an attribute that is read out or shown, nor an expression."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

TEMPLATES = Path(__file__).parents[2] / "dashboard" / "templates"
ENGLISH = {"api.html"}
"""For developers, as is the description that it shows (dashboard/api/): its addresses always speak English."""
NAMES = {"CSV", "XLSX", "PDF", "Frappe", "HR", "API", "Webhooks", "JPEG", "PNG", "WebP", "att_"}
"""The same in every language."""
READ = ("title", "aria-label", "placeholder", "alt", "data-label")
"""Attributes with words; style.css shows `data-label` on narrow screens."""
GETTEXT = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
WORD = re.compile(r"[^\W\d_]{2,}")
SENTENCE = re.compile(r"^[A-Z]|[a-z] [a-zA-Z]")
"""What an expression's string looks like when it is for a reader; codes, names of endpoints and formats don't."""

environment = Environment(extensions=["jinja2.ext.i18n"])


def has_words(text: str) -> bool:
    return any(word not in NAMES for word in WORD.findall(text))


def outside_of_gettext(source: str) -> str:
    """The template's own HTML, line by line, without blocks of {% trans %}; expressions and statements leave nothing."""
    kept: list[str] = []
    statement: list[str] = []
    inside, line = False, 1
    for number, kind, value in environment.lex(source):
        if kind == "block_begin":
            statement = []
        elif kind == "block_end" and statement[:1] in (["trans"], ["endtrans"]):
            inside = statement == ["trans"]
        elif kind == "name" and not statement:
            statement = [value]
        if kind == "data" and not inside:
            kept.append("\n" * (number - line) + value)
            line = number + value.count("\n")
    return "".join(kept)


class Reader(HTMLParser):
    """Collects `line: words` of texts and attributes; <code> holds what is typed, which no language changes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.codes = 0

    def note(self, text: str) -> None:
        if has_words(text):
            blank = text[: len(text) - len(text.lstrip())]
            self.found.append(f"{self.getpos()[0] + blank.count(chr(10))}: {' '.join(text.split())}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.codes += tag == "code"
        known = dict(attrs)
        for name in READ:
            self.note(known.get(name) or "")
        if tag == "input" and known.get("type") in ("submit", "button", "reset"):
            self.note(known.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self.codes -= tag == "code"

    def handle_data(self, data: str) -> None:
        if not self.codes:
            self.note(data)


def said_by_expressions(node: nodes.Node) -> Iterator[str]:
    """`line: words` of strings in expressions that look like words and don't go through gettext."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Call) and isinstance(child.node, nodes.Name) and child.node.name in GETTEXT:
            continue
        if isinstance(child, nodes.Const) and isinstance(child.value, str):
            text = child.value
            if has_words(text) and SENTENCE.search(text) and not text.startswith("<"):
                yield f"{child.lineno}: {text}"
        yield from said_by_expressions(child)


def past_gettext(source: str) -> list[str]:
    reader = Reader()
    reader.feed(outside_of_gettext(source))
    reader.close()
    return reader.found + list(said_by_expressions(environment.parse(source)))


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_every_word_goes_through_gettext(path: Path) -> None:
    if path.name not in ENGLISH:
        assert past_gettext(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello</p>", ["1: Hello"]),
        ("<p>\n{% if x %}Hello{% endif %}</p>", ["2: Hello"]),
        ('<p title="Hello">1</p>', ["1: Hello"]),
        ('<td data-label="Day {{ n }}">', ["1: Day"]),
        ('<input type="submit" value="Go">', ["1: Go"]),
        ('{{ field("name", "Name") }}', ["1: Name"]),
        ('{{ "is on" if x else _("Off") }}', ["1: is on"]),
        ("{% trans %}In{% endtrans %} and out", ["1: and out"]),
        ("{% trans n=3 %}{{ n }} day{% pluralize %}{{ n }} days{% endtrans %}", []),
        ('{{ _("Hello") }}, {{ ngettext("a", "b", 1) }} 12:00 – {{ url_for("live.board") }}', []),
        ('<p class="soft">{{ x }} <code>attendance up</code> CSV</p>{# Words #}', []),
        ('<button value="refused">{{ x }}</button>', []),
    ],
)
def test_what_is_found(source: str, found: list[str]) -> None:
    assert past_gettext(source) == found
