"""What the command says when something is wrong: one clear line a problem, and no traceback."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from worker.protocol.explained import variable_of

OURS = ("kiosk", "worker", "dashboard", "training", "deploy")
STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""
PASSWORD_IN_URL = re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@")


class Problem(RuntimeError):
    """Something that a person can put right; the message says what and how. The command ends with exit code 2."""


def hide_passwords(text: str) -> str:
    """`redis://kiosk:secret@host` as `redis://kiosk:***@host`, wherever in the text."""
    return PASSWORD_IN_URL.sub(r"\1:***@", text)


def problem_lines(error: ValidationError, settings: type[BaseSettings]) -> list[str]:
    """One line a problem: the variable, the value it has, and the bound it breaks."""
    lines = []
    for detail in error.errors(include_url=False):
        name = variable_of(settings, str(detail["loc"][0])) if detail["loc"] else "settings"
        what = str(detail["msg"]).removeprefix("Value error, ")
        if detail["type"] == "missing":
            lines.append(f"{name} is not set: {what}")
        else:
            shown = (
                "***"
                if name.endswith(("PRIVATE_KEY", "SECRET_KEY", "API_KEY", "API_SECRET"))
                else _short(detail["input"])
            )
            lines.append(hide_passwords(f"{name}={shown}: {what}"))
    return lines


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "…"


def settings_from(settings: type[BaseSettings], **options: Any) -> Any:
    """Settings from the environment, with the options that were given on the command line; raises Problem."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return settings(**given)
    except ValidationError as error:
        raise Problem("\n".join(problem_lines(error, settings))) from None
    except SettingsError as error:
        raise Problem(hide_passwords(str(error))) from None


@contextmanager
def clear_errors(extra: str | None = None) -> Iterator[None]:
    """Turn a Problem, or a package of `extra` that isn't installed, into words and exit code 2."""
    try:
        yield
    except Problem as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if extra is None or missing in OURS:
            raise
        typer.echo(f"{missing} is not installed: this needs `pip install 'attendance-kiosk[{extra}]'`", err=True)
        raise typer.Exit(2) from None
