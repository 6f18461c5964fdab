"""Reading CSV as spreadsheets of all countries write it: UTF-8 with or without mark, UTF-16, old code pages; , ; tab or |."""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from charset_normalizer import from_bytes
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from dashboard.tables.tables import BadTable, Row, Table, counted

HEAD_BYTES = 65_536
SAMPLE_BYTES = 32_768
CODE_PAGES = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1256",
    "cp1258",
    "cp874",
    "gb18030",
    "big5",
    "shift_jis",
    "euc_kr",
]
"""What a file that isn't Unicode may be in; the first is what Windows in Indonesia and in English writes."""
SEPARATORS = {
    ",": lazy_gettext("commas"),
    ";": lazy_gettext("semicolons"),
    "\t": lazy_gettext("tabs"),
    "|": lazy_gettext("bars"),
}
LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
FEW = 0.3
WITHOUT_LETTER = frozenset(b"\x81\x8d\x8f\x90\x9d")
"""Bytes that stand for nothing in cp1252."""
UTF_16_SHARE = 0.3
"""Text in UTF-16 without a mark: at least so much of every other byte is zero."""
SIGNATURES = {
    b"\xff\xd8\xff": lazy_gettext("a JPEG picture"),
    b"\x89PNG": lazy_gettext("a PNG picture"),
    b"GIF8": lazy_gettext("a GIF picture"),
    b"%PDF": lazy_gettext("a PDF"),
    b"PK\x03\x04": lazy_gettext("a ZIP archive"),
    b"\xd0\xcf\x11\xe0": lazy_gettext("an old Excel file, or one with a password"),
}


def read(path: Path) -> Table:
    """Raises BadTable, also while its rows are read."""
    encoding = encoding_of(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            head = file.read(HEAD_BYTES)
    except UnicodeError:
        raise BadTable(_not_decodable(encoding)) from None
    skip, separator = separator_of(head)
    how = _(
        "CSV, %(encoding)s, separated by %(separator)s",
        encoding=_encoding_words(encoding),
        separator=SEPARATORS[separator],
    )
    return Table(how, counted(_rows(path, encoding, separator, skip)))


def _rows(path: Path, encoding: str, separator: str, skip: int) -> Iterator[Row]:
    with path.open(encoding=encoding, newline="") as file:
        file.read(skip)
        reader = csv.reader(file, delimiter=separator, strict=True)
        try:
            yield from enumerate(reader, start=1)
        except csv.Error as error:
            raise BadTable(
                _(
                    "Line %(number)s isn’t readable as CSV (%(error)s); look for a quotation mark too many.",
                    number=reader.line_num,
                    error=error,
                )
            ) from None
        except UnicodeError:
            raise BadTable(_not_decodable(encoding)) from None


def separator_of(head: str) -> tuple[int, str]:
    """Characters to skip (Excel's own `sep=;` line), and what separates the cells of the first row with anything in it."""
    if head[:4].lower() == "sep=" and head[4:5] in SEPARATORS:
        line = head.splitlines(keepends=True)[0]
        if len(line.strip()) == 5:
            return len(line), head[4]
    best = (1, ",")
    for separator in SEPARATORS:
        try:
            first = next(
                (row for row in csv.reader(head.splitlines(keepends=True), delimiter=separator) if any(row)), []
            )
        except csv.Error:
            continue
        best = max(best, (len(first), separator), key=lambda one: one[0])
    return 0, best[1]


def encoding_of(path: Path) -> str:
    """The name of the file's encoding; raises BadTable for what is no text."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for start, what in SIGNATURES.items():
        if head.startswith(start):
            raise BadTable(
                _(
                    "This isn’t a table: the file is %(what)s, whatever its name says. Save the table as CSV or XLSX.",
                    what=what,
                )
            )
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    if b"\0" in head:
        return _utf_16_without_mark(head)
    return "utf-8" if _is_utf_8(path) else _code_page(path)


def _utf_16_without_mark(head: bytes) -> str:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > UTF_16_SHARE * len(head) / 2 and not even:
        return "utf-16-le"
    if even > UTF_16_SHARE * len(head) / 2 and not odd:
        return "utf-16-be"
    raise BadTable(_("This isn’t a table: the file holds no text. Save the table as CSV or XLSX."))


def _is_utf_8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _code_page(path: Path) -> str:
    """Judged by the lines that hold more than plain letters."""
    sample = b""
    with path.open("rb") as file:
        while len(sample) < SAMPLE_BYTES and (line := file.readline(SAMPLE_BYTES)):
            sample += b"" if line.isascii() else line
    if _few_are_not_ascii(sample):
        return "cp1252"
    best = from_bytes(sample, cp_isolation=CODE_PAGES).best()
    if best is None:
        raise BadTable(
            _("The file’s encoding isn’t known. In the spreadsheet choose “CSV UTF-8” when saving, or XLSX.")
        )
    return best.encoding


def _few_are_not_ascii(sample: bytes) -> bool:
    """Names with accents, of which too few are there to guess by; in another script most letters are others."""
    high = sum(byte >= 0x80 for byte in sample)
    return high < FEW * (high + sum(byte in LETTERS for byte in sample)) and not WITHOUT_LETTER & set(sample)


def _encoding_words(encoding: str) -> str:
    if encoding.startswith("utf"):
        return encoding.upper().removesuffix("-SIG")
    return _("in the code page %(encoding)s (a guess: look at names with accents)", encoding=encoding)


def _not_decodable(encoding: str) -> str:
    return _(
        "The file begins as %(encoding)s and isn’t that throughout. In the spreadsheet choose “CSV UTF-8”, or XLSX.",
        encoding=encoding,
    )
