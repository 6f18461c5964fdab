"""A text file that is there whole or as it was before."""

import os
from pathlib import Path


def write_whole(path: Path, text: str, errors: str = "strict") -> None:
    """UTF-8, written beside `path` and then put in its place; raises OSError and leaves nothing behind."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        draft.write_text(text, encoding="utf-8", errors=errors)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
