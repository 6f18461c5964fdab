"""`attendance webhooks`: who is told of what, what failed, and the process that delivers."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.errors import Problem, clear_errors, settings_from
from deploy.operator import plain
from deploy.site_database import site_database
from deploy.times import utc_words

app = typer.Typer(help="Other systems that are told of punches and changes, over HTTPS, signed.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="as `attendance webhooks list` shows it")]


@contextmanager
def _sessions() -> Iterator[Any]:
    with clear_errors("dashboard"), site_database() as sessions:
        from dashboard.webhooks.subscriptions import WebhookProblem

        try:
            yield sessions
        except WebhookProblem as error:
            raise Problem(plain(error, 500)) from None


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="https://…")],
    event: Annotated[list[str], typer.Option(help="punch.recorded, employee.changed or days.changed; repeat it")],
) -> None:
    """Tell an address of what happens from now on; shows the secret that verifies signatures, this once."""
    with _sessions() as sessions:
        from dashboard.webhooks import subscriptions

        with sessions.begin() as session:
            webhook = subscriptions.add(session, url, event, f"{getpass.getuser()}@cli")
        typer.echo(f"webhook {webhook.id}: {webhook.kinds}; its secret is shown this once", err=True)
        typer.echo(webhook.secret)


@app.command("list")
def list_all() -> None:
    """All webhooks, and how they fare."""
    with _sessions() as sessions:
        from sqlalchemy import select

        from dashboard.database import reading
        from dashboard.models import Webhook

        with reading(sessions) as session:
            found = list(session.scalars(select(Webhook).order_by(Webhook.created_ms, Webhook.id)))
        table = Table("id", "address", "events", "made (UTC)", "state", title=f"{len(found)} webhooks")
        for one in found:
            failing = f"failing since {utc_words(one.failing_since_ms)}" if one.failing_since_ms else "good"
            state = f"disabled: {one.disabled_why}" if one.disabled_ms else failing
            row = (one.id, one.url, one.kinds, utc_words(one.created_ms), state)
            table.add_row(*(escape(plain(cell)) for cell in row))
        Console().print(table)


@app.command()
def remove(id: Id) -> None:
    """Tell it nothing any more; what waits for it is gone too."""
    with _sessions() as sessions:
        from dashboard.webhooks import subscriptions

        with sessions.begin() as session:
            subscriptions.remove(session, id)
        typer.echo(f"webhook {plain(id, 64)} is removed")


@app.command()
def rotate(id: Id) -> None:
    """A new secret, shown this once; for a day the one before is valid beside it."""
    with _sessions() as sessions:
        from dashboard.webhooks import subscriptions

        with sessions.begin() as session:
            webhook = subscriptions.rotate(session, id)
        typer.echo(webhook.secret)


@app.command()
def enable(id: Id) -> None:
    """Tell it again, after it was disabled; `replay` sends what it missed while it failed."""
    with _sessions() as sessions:
        from dashboard.webhooks import subscriptions

        with sessions.begin() as session:
            subscriptions.enable(session, id)
        typer.echo(f"webhook {plain(id, 64)} is enabled")


@app.command()
def dead() -> None:
    """What failed for good: after three days of trying, or when its webhook was disabled."""
    with _sessions() as sessions:
        from sqlalchemy import select

        from dashboard.database import reading
        from dashboard.models import Delivery

        with reading(sessions) as session:
            found = list(session.scalars(select(Delivery).where(Delivery.state == "dead").order_by(Delivery.id)))
        table = Table(
            "delivery", "webhook", "event", "of", "given up (UTC)", "why", title=f"{len(found)} dead deliveries"
        )
        for one in found:
            row = (one.id, one.webhook_id, one.kind, one.subject_id, utc_words(one.finished_ms), one.last_words)
            table.add_row(*(escape(plain(cell)) for cell in row))
        Console().print(table)


@app.command()
def replay(
    delivery: Annotated[int | None, typer.Argument(help="as `attendance webhooks dead` shows it")] = None,
    webhook: Annotated[str | None, typer.Option(help="everything that failed of this webhook")] = None,
) -> None:
    """Try again what failed for good, for three days."""
    with _sessions() as sessions:
        from dashboard.webhooks import subscriptions

        if (delivery is None) == (webhook is None):
            raise Problem("name one delivery, or a webhook by --webhook")
        with sessions.begin() as session:
            number = subscriptions.replay(session, webhook, delivery)
        if delivery is not None and not number:
            raise Problem(f"delivery {delivery}: none of that number failed for good, or its webhook is disabled")
        typer.echo(f"{number} are sent again")


@app.command()
def deliver() -> None:
    """Deliver to webhooks and connectors until stopped. `attendance up` runs it; one is enough, several share the work."""
    with clear_errors("dashboard"):
        from dashboard.connectors.settings import FrappeSettings
        from dashboard.settings import DashboardSettings

        settings, frappe = settings_from(DashboardSettings), settings_from(FrappeSettings)
        from dashboard.deliverer import run

        raise typer.Exit(run(settings, frappe))
