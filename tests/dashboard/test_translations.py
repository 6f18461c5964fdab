"""The catalogs of dashboard/translations: whole, of today's words, and compiled. `make messages` brings them up to date."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from dashboard.web.languages import LANGUAGES

ROOT = Path(__file__).parents[2]
CATALOGS = ROOT / "dashboard" / "translations"
TRANSLATED = sorted(set(LANGUAGES) - {"en"})
"""English is what the sources say."""
FORMAT = re.compile(r"%\(\w+\)\w|%.?")
MARKUP = re.compile(r'<[^>]*>|[<>&"]')


def path_of(catalogs: Path, language: str, suffix: str) -> Path:
    return catalogs / language / "LC_MESSAGES" / f"messages.{suffix}"


def read(catalogs: Path, language: str) -> Catalog:
    with path_of(catalogs, language, "po").open("rb") as file:
        return read_po(file, locale=language)


def messages(catalog: Catalog) -> dict[tuple[object, object], Message]:
    """By context and English words; the header isn't one."""
    return {(message.context, tuple(forms(message.id))): message for message in catalog if message.id}


def forms(words: str | Sequence[str]) -> Sequence[str]:
    return (words,) if isinstance(words, str) else words


def texts(message: Message) -> Iterator[tuple[str, str]]:
    """English and translation, of each form; a language with one form only says what the plural says."""
    yield from ((forms(message.id)[-1], said) for said in forms(message.string))


@pytest.fixture(scope="module")
def renewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make messages` makes of the catalogs."""
    copy = tmp_path_factory.mktemp("renewed") / "translations"
    shutil.copytree(CATALOGS, copy)
    command = ["make", "messages", f"BIN={Path(sys.executable).parent}", f"CATALOGS={copy}"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return copy


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalog_holds_the_words_that_the_sources_say(renewed: Path, language: str) -> None:
    here, there = messages(read(CATALOGS, language)), messages(read(renewed, language))
    assert sorted(map(str, there.keys() - here.keys())) == [], "new words: run make messages, and translate them"
    assert sorted(map(str, here.keys() - there.keys())) == [], "no source says these any more: run make messages"
    assert list(here) == list(there), "another order: run make messages"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_word_is_translated(language: str) -> None:
    found = messages(read(CATALOGS, language))
    assert [key for key, message in found.items() if not all(said for _, said in texts(message))] == []
    assert [key for key, message in found.items() if message.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_placeholders_and_markup(language: str) -> None:
    """A page puts translations in as they are, so a tag or a quotation mark of their own would break it."""
    for message in messages(read(CATALOGS, language)).values():
        for english, said in texts(message):
            assert set(FORMAT.findall(said)) == set(FORMAT.findall(english)), said
            assert sorted(MARKUP.findall(said)) == sorted(MARKUP.findall(english)), said


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_read_is_compiled_from_it(language: str) -> None:
    with path_of(CATALOGS, language, "mo").open("rb") as file:
        compiled = messages(read_mo(file))
    kept = messages(read(CATALOGS, language))
    said = {key: [one for _, one in texts(message)] for key, message in kept.items()}
    assert {key: [one for _, one in texts(message)] for key, message in compiled.items()} == said, "run make messages"
