"""`attendance calibrate`: how alike the site's own people are, and a stricter threshold where they need one."""

from typing import Annotated

import typer

from deploy.errors import Problem, clear_errors


def calibrate(
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="make the stricter threshold the site's, where one is needed")
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="take the site's limit back; the bundle's rule serves again")
    ] = False,
) -> None:
    """Compare the enrolled people with each other: who looks alike, and does the threshold tell them apart?"""
    with clear_errors("dashboard"):
        if apply and reset:
            raise Problem("--apply and --reset: choose one")
        from deploy import calibrate as room

        raise typer.Exit(room.run(json, apply, reset))
