"""`attendance model`: look at models, bring a bundle to the workers, swap it in, go back."""

import json as to_json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from deploy.errors import Problem, clear_errors
from deploy.model_fetch_cli import fetch
from deploy.operator import SiteClients, plain, site_clients
from deploy.site_database import site_database
from worker.named_models import HELP

app = typer.Typer(
    help="The model that recognises: check a bundle, bring it to the workers, swap it in while the old one serves, go back.",
    no_args_is_help=True,
)
app.command()(fetch)
Bundle = Annotated[str, typer.Argument(help=HELP, show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="go on although the listed people won't be recognised")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object")]


@app.command()
def check(bundle: Bundle, json: Json = False) -> None:
    """Whether a bundle is whole and can serve: files, hashes, id, and that the network takes its weights."""
    with clear_errors("worker"):
        from worker import recogniser
        from worker.protocol.bundle import BadBundle

        try:
            info = recogniser.check(bundle)
        except BadBundle as error:
            raise Problem(plain(error, 500)) from None
    if json:
        print(info.model_dump_json())
        return
    size = f"{info.parameters:,} parameters" if info.parameters else f"{info.embedding_size} numbers a face"
    print(f"{info.id}: {info.architecture}, {size}, {plain(info.licence, 200)}")
    for one in info.thresholds:
        accepted = "not measured" if one.true_accept_rate is None else f"{one.true_accept_rate:.1%} of genuine ones"
        print(f"  distance {one.distance:.3f}: strangers at most {one.false_match_rate:g}, {accepted}")
    print(f"  {plain(info.threshold_source, 500)}")


@app.command("list")
def list_all(json: Json = False) -> None:
    """Which model serves, under which epoch, and what each worker holds."""
    with clear_errors(), site_clients("model", every_shard=True) as sites:
        from deploy import model_list as room

        said = room.look(sites)
        if json:
            print(to_json.dumps(room.as_json(said)))
        else:
            room.show(said)


@app.command()
def push(bundle: Bundle) -> None:
    """Bring a bundle to the machines of all living workers, into their models folder; hashes are checked there again."""
    with clear_errors(), site_clients("model", every_shard=True) as sites:
        from deploy import model_push as room
        from worker.protocol.bundle import BadBundle
        from worker.recogniser import bundle_folder

        try:
            with _bar("bringing") as progress:
                room.push(sites, bundle_folder(bundle), _say, progress)
        except BadBundle as error:
            raise Problem(plain(error, 500)) from None


@app.command()
def use(
    target: Annotated[str, typer.Argument(metavar="BUNDLE", help=f"a model's id, {HELP}")],
    yes: Yes = False,
) -> None:
    """Swap a model in: every stored picture is embedded by it while the old one serves, then all workers switch at once."""
    with clear_errors("dashboard"), site_clients("model", every_shard=True) as sites, site_database() as factory:
        from deploy.model_swap import Swap

        Swap(factory, sites, _target_id(target, sites), yes, _console()).run()


@app.command()
def rollback(yes: Yes = False) -> None:
    """Go back to the model that served before; who was enrolled since is embedded by it first."""
    with clear_errors("dashboard"), site_clients("model", every_shard=True) as sites, site_database() as factory:
        from dashboard.database import reading
        from dashboard.gallery import serving
        from deploy.model_swap import Swap

        with reading(factory) as session:
            now = serving.read(session)
        if now.previous is None:
            raise Problem("no other model served before: there is nothing to go back to")
        Swap(factory, sites, now.previous, yes, _console()).run()


@app.command()
def cancel() -> None:
    """Give up a swap that was begun and not finished. The serving model stays; templates made so far are kept."""
    with clear_errors("dashboard"), site_database() as factory:
        from dashboard.gallery import serving
        from deploy.model_swap import problems

        with problems(), factory.begin() as session:
            gone = serving.cancel(session)
        _say(f"{gone} is given up" if gone else "nothing was being brought in")


def _say(words: str) -> None:
    typer.echo(words)


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def _target_id(target: str, sites: list[SiteClients]) -> str:
    """The model's id; raises Problem."""
    from deploy.model_workers import living
    from worker.named_models import SFACE
    from worker.protocol.bundle import MODEL_ID, BadBundle, verify
    from worker.recogniser import bundle_folder

    if re.fullmatch(MODEL_ID, target):
        return target
    if target == SFACE:
        held = sorted({name for one in living(sites) for name in one.held if name.startswith(f"{SFACE}-")})
        if len(held) != 1:
            raise Problem(f"workers hold {', '.join(map(plain, held)) or 'no'} SFace models; name one by its id")
        return held[0]
    try:
        return verify(bundle_folder(target)).id
    except BadBundle as error:
        raise Problem(plain(error, 500)) from None


@contextmanager
def _bar(words: str) -> Iterator[Any]:
    """A progress bar that is moved by (shard, done, of how many)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} MB"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def move(shard: str, done: int, total: int) -> None:
            if shard not in tasks:
                tasks[shard] = progress.add_task(f"{words} to shard {shard}", total=total)
            progress.update(tasks[shard], completed=done)

        yield move
