"""The `attendance` command. Each subcommand loads its room when it runs, so that the others needn't be installed."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy import (
    api_key_cli,
    audit_cli,
    bench_cli,
    calibrate_cli,
    connect_cli,
    dead,
    evaluate_cli,
    logs,
    model_cli,
    people_cli,
    query_cli,
    train_cli,
    user_cli,
    webhooks_cli,
)
from deploy.errors import clear_errors, settings_from
from deploy.logs import LogFormat, LogLevel
from worker.named_models import HELP

app = typer.Typer(
    help="Face-verification attendance: kiosks at the doors, a worker that recognises, a dashboard that records. "
    "Every option, and more, can be set by an environment variable; see deploy/attendance.env.example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


app.add_typer(dead.app, name="dead")
app.add_typer(bench_cli.app, name="bench")
app.add_typer(people_cli.app, name="people")
app.add_typer(train_cli.app, name="train")
app.add_typer(user_cli.app, name="user")
app.add_typer(audit_cli.app, name="audit")
query_cli.register(app)
app.command()(evaluate_cli.evaluate)
app.add_typer(model_cli.app, name="model")
app.command()(calibrate_cli.calibrate)
app.add_typer(api_key_cli.app, name="api-key")
app.add_typer(webhooks_cli.app, name="webhooks")
app.add_typer(connect_cli.app, name="connect")


class ServerRole(StrEnum):
    LIVE, LEDGER, BOTH = "live", "ledger", "both"


@app.callback()
def common(
    context: typer.Context,
    log_level: Annotated[
        LogLevel, typer.Option(envvar="ATTENDANCE_LOG_LEVEL", help="how much is logged to standard error")
    ] = LogLevel.INFO,
    log_format: Annotated[
        LogFormat, typer.Option(envvar="ATTENDANCE_LOG_FORMAT", help="lines of text, or one JSON object a line")
    ] = LogFormat.TEXT,
) -> None:
    logs.set_up(context.invoked_subcommand or "attendance", log_level, log_format)
    os.environ["ATTENDANCE_LOG_LEVEL"] = log_level.value  # for services that this process starts
    os.environ["ATTENDANCE_LOG_FORMAT"] = log_format.value


@app.command()
def demo(
    enroll: Annotated[Path | None, typer.Option(help="folder of people to enrol instead of the demo's person")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(help="webcam index, video, folder of pictures or rtsp://…; repeat it for more kiosks"),
    ] = None,
    stagger: Annotated[float, typer.Option(min=0, max=600, help="seconds between the starts of the sources")] = 0.0,
    fps: Annotated[float, typer.Option(min=0.1, max=30, help="pictures a second of a folder")] = 2.0,
    headless: Annotated[bool, typer.Option("--headless", help="use no webcam and print no addresses")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object as the last line")] = False,
    seconds: Annotated[
        float | None, typer.Option(min=1, max=86_400, help="stop so long after everything is ready and enrolled")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="keep database and logs in this new folder; otherwise they are deleted")
    ] = None,
) -> None:
    """Try it: starts everything, enrols, and shows who is recognised. Ctrl-C stops all of it."""
    with clear_errors("demo"):
        from deploy import demo as room

        options = room.DemoOptions(enroll, tuple(source or ()), stagger, fps, headless, json, seconds, keep)
        raise typer.Exit(room.run(options))


@app.command()
def up(
    home: Annotated[Path | None, typer.Option(help="folder for database, Redis files and logs")] = None,
) -> None:
    """Start all services of this machine and keep them running. Ctrl-C stops them."""
    with clear_errors("demo"):
        from deploy import up as room
        from deploy.settings import DeploySettings

        raise typer.Exit(room.run(settings_from(DeploySettings, home=home)))


@app.command()
def kiosk(
    name: Annotated[str | None, typer.Option(help="this door's name, such as front-door")] = None,
    source: Annotated[str | None, typer.Option(help="webcam index, rtsp://…, video or folder of pictures")] = None,
    screen_port: Annotated[int | None, typer.Option(help="port of the screen's page; 0 takes any")] = None,
    shard: Annotated[str | None, typer.Option(help="the shard it serves, on a site with several")] = None,
) -> None:
    """Run one kiosk: the camera, and the screen that people look at."""
    with clear_errors("kiosk"):
        from kiosk.settings import KioskSettings

        settings = settings_from(KioskSettings, name=name, source=source, screen_port=screen_port, shard=shard)
        _require_redis(settings, of_shard=True)
        from kiosk.main import run

        raise typer.Exit(run(settings))


@app.command()
def worker(
    name: Annotated[str | None, typer.Option(help="unique among the workers of a site")] = None,
    model: Annotated[str | None, typer.Option(help=HELP)] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda")] = None,
    shard: Annotated[str | None, typer.Option(help="the shard it serves, on a site with several")] = None,
    count: Annotated[
        int, typer.Option(min=1, max=32, envvar="ATTENDANCE_WORKERS", help="processes, which share out the cores")
    ] = 1,
) -> None:
    """Run a worker, or several: it finds and recognises the faces."""
    with clear_errors("worker"):
        from worker.settings import WorkerSettings

        settings = settings_from(WorkerSettings, name=name, model=model, device=device, shard=shard)
        _require_redis(settings, of_shard=True)
        if count > 1:
            from deploy import workers

            options = {
                "ATTENDANCE_MODEL": settings.model,
                "ATTENDANCE_WORKER_DEVICE": settings.device,
                "ATTENDANCE_SHARD": settings.shard,
            }
            raise typer.Exit(workers.run(settings, count, options))
        from worker.main import run

        raise typer.Exit(run(settings))


@app.command()
def recorder(
    shard: Annotated[str | None, typer.Option(help="the shard it serves, on a site with several")] = None,
) -> None:
    """Run the recorder: it writes decisions into the database and publishes who is enrolled. Each shard needs one."""
    with clear_errors("dashboard"):
        from dashboard.settings import DashboardSettings

        settings = settings_from(DashboardSettings, shard=shard)
        _require_redis(settings, of_shard=True)
        from dashboard.recording.recorder import run

        raise typer.Exit(run(settings))


@app.command()
def dashboard(
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on")] = None,
) -> None:
    """Serve the dashboard: enrolment, the live board, the attendance log."""
    with clear_errors("dashboard"):
        from dashboard.settings import DashboardSettings
        from deploy import gunicorn_command

        settings = settings_from(DashboardSettings, host=host, port=port)
        _require_redis(settings)
        gunicorn_command.become(settings.host, settings.port)


@app.command()
def enroll(
    folder: Annotated[Path, typer.Argument(help="a folder per person (CODE or CODE_Name), or code_name.jpg files")],
    consent: Annotated[
        bool,
        typer.Option("--consent", help="I confirm that these people have agreed to the storing of their face data"),
    ] = False,
) -> None:
    """Enrol the people in a folder of pictures."""
    with clear_errors("dashboard"):
        from deploy import enroll as room

        raise typer.Exit(room.run(folder, consent))


@app.command()
def status(
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    seconds: Annotated[float, typer.Option(min=0.6, max=60, help="time between the two looks that give the rates")] = 2,
) -> None:
    """Who is alive, how fast, and how much waits; 1 when a role is missing or a worker isn't ready."""
    from deploy import status as room

    raise typer.Exit(room.run(json, seconds))


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="print the findings as one JSON object")] = False,
) -> None:
    """Check this machine and the site, and say what to do."""
    with clear_errors():
        from deploy import doctor as room

        raise typer.Exit(room.run(json))


@app.command("site-key")
def site_key() -> None:
    """Show the public key that kiosks seal to; makes the site's pair in ATTENDANCE_HOME when there is none."""
    with clear_errors():
        from deploy import site_key as room

        raise typer.Exit(room.run())


@app.command()
def acl(
    role: Annotated[ServerRole, typer.Option(help="what the server is for")],
    kiosk: Annotated[
        list[str] | None, typer.Option(help="name of a door, or name=shard where there are several shards; repeat it")
    ] = None,
) -> None:
    """Print the lines of a Redis ACL file for your own servers: a user for each service, with the fewest rights."""
    with clear_errors():
        from deploy import acl_file as room

        raise typer.Exit(room.run(role.value, kiosk or []))


def _require_redis(settings: object, of_shard: bool = False) -> None:
    """Raise Problem unless both roles have a URL and, for a service of one shard, the site has that shard."""
    from deploy.errors import Problem
    from worker.protocol.settings import CommonSettings

    assert isinstance(settings, CommonSettings)
    try:
        settings.url("live")
        settings.url("ledger")
        if of_shard:
            settings.require_shard()
    except ValueError as error:
        raise Problem(str(error)) from None


def main() -> None:
    app()


if __name__ == "__main__":
    main()
