"""Text as people search and sort it: without case and accents, so that “munoz” finds Muñoz on both databases."""

import unicodedata

WITHOUT_MARKS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
"""Letters that Unicode doesn't take apart into a base letter and a mark."""


def folded(text: str) -> str:
    """`text` in lower case, without marks on letters, with single spaces. A name in another script keeps its letters."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(bare.casefold().translate(WITHOUT_MARKS).split())


def searched(code: str, name: str, department: str) -> str:
    """What a search for a person looks through."""
    return folded(f"{code} {name} {department}")
