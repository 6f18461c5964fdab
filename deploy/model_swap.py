"""`attendance model use`, `rollback` and `cancel`: a swap (dashboard/gallery/swap.py) as a terminal shows it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import SQLAlchemyError

from dashboard.database import SessionFactory
from dashboard.gallery import swap
from dashboard.gallery.serving import Standing, SwapError
from deploy.errors import Problem
from deploy.operator import SiteClients, plain


class Terminal:
    """A Teller (dashboard/gallery/swap.py) on a console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, words: str) -> None:
        self.console.print(words)

    def unknown(self, people: swap.People, why: str) -> None:
        for code, name in people:
            self.console.print(f"  {escape(plain(name))} ({escape(plain(code))}): {why}")

    @contextmanager
    def bar(self, total: int) -> Iterator[Callable[[], None]]:
        columns = (TextColumn("embedding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=not self.console.is_terminal) as progress:
            task = progress.add_task("", total=total)
            yield lambda: progress.advance(task)


class Swap:
    """One swap to `target`. `yes` takes it that people will be unknown to it. `run` raises Problem."""

    def __init__(
        self, factory: SessionFactory, sites: list[SiteClients], target: str, yes: bool, console: Console
    ) -> None:
        lives = {site.shard: site.live for site in sites}
        self._swap = swap.Swap(factory, lives, target, yes, Terminal(console))

    def run(self) -> Standing:
        with problems():
            return self._swap.run()


@contextmanager
def problems() -> Iterator[None]:
    """SwapError, and the database being away, as Problem."""
    try:
        yield
    except SwapError as error:
        raise Problem(str(error)) from None
    except SQLAlchemyError as error:
        raise Problem(
            f"the database can't be used: {str(error).splitlines()[0]}; go on with the same command"
        ) from None
