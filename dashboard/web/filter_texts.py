"""The texts of a filter's query: short ones, and what is wrong with the others in words."""

from collections.abc import Iterable, Mapping

from flask_babel import gettext as _

LONGEST_TEXT = 200


def read_texts(
    args: Mapping[str, str], names: Iterable[str], problems: list[str], longest: int = LONGEST_TEXT
) -> dict[str, str]:
    """Name → trimmed text; one that is too long is left out and told in `problems`."""
    texts: dict[str, str] = {}
    for name in names:
        text = args.get(name, "").strip()
        if len(text) > longest:
            problems.append(
                _(
                    "%(name)s: at most %(longest)s characters, got %(count)s.",
                    name=name.capitalize(),
                    longest=longest,
                    count=len(text),
                )
            )
            text = ""
        texts[name] = text
    return texts
