"""The doctor's look at the site: Redis in both roles, its clock, the database, the recogniser, liveness."""

import time
from typing import Any

import redis

from deploy.doctor_finding import ok, problem, warning
from deploy.errors import Problem, hide_passwords, settings_from
from deploy.secret_store import running_urls
from worker.protocol import heartbeats
from worker.protocol.connection import Client, connect, server_time_ms
from worker.protocol.finding import Finding
from worker.protocol.settings import CommonSettings

MAX_OFFSET_MS = 5_000
MIN_VERSION = (7, 0)
START = "start everything with `attendance up`, or set ATTENDANCE_LIVE_URL and ATTENDANCE_LEDGER_URL"


def site_urls(shard: str | None = None) -> dict[str, str]:
    """URL by role, on a cluster that of the shard (ours unless given): from the environment, else of the `attendance up`
    that runs in the same home; empty without any."""
    settings: CommonSettings = settings_from(CommonSettings)
    try:
        return {role: settings.url(role, shard) for role in ("live", "ledger")}
    except ValueError:
        return running_urls(settings.home)


def redis_servers() -> list[Finding]:
    """Both roles: version, and the persistence and memory rules that each needs."""
    urls = site_urls()
    if not urls:
        return [warning("Redis", "no Redis is set, and no `attendance up` runs here", START)]
    findings, ids = [], {}
    for role, url in urls.items():
        client = connect(url, name="doctor")
        try:
            found, ids[role] = _one_server(role, client)
            findings += found
        except (redis.exceptions.RedisError, OSError, ValueError) as error:
            findings.append(problem(f"Redis, {role}", hide_passwords(f"{url}: {error}"), START))
        finally:
            client.close()
    if len(ids) == 2 and ids["live"] == ids["ledger"] != "":
        words = "one server has both roles: pictures may reach its disk, and a flood of frames may fill it"
        findings.append(warning("Redis, roles", words, "fine for trying; give each role its own server on a site"))
    return findings


def _one_server(role: str, client: Client) -> tuple[list[Finding], str]:
    """Findings, and the server's run id ("" when it doesn't say)."""
    check = f"Redis, {role}"
    offset_ms = round(time.time() * 1000) - server_time_ms(client)
    findings = [_offset(role, offset_ms)]
    try:
        info = client.info("server")
        config = client.config_get("appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy")
    except redis.exceptions.NoPermissionError:
        return [ok(check, "answers; its configuration is not ours to see"), *findings], ""
    version = str(info.get("valkey_version") or info.get("redis_version"))
    if tuple(int(part) for part in version.split(".")[:2]) < MIN_VERSION:
        return [problem(check, f"version {version}", "install Redis 7.0 or Valkey 7.2 or later"), *findings], ""
    wrong = _wrong_configuration(role, config)
    if wrong:
        words = f"version {version}; {'; '.join(wrong)}"
        findings.insert(0, warning(check, words, "change its configuration, then start it again"))
    else:
        findings.insert(0, ok(check, f"version {version}"))
    return findings, str(info.get("run_id", ""))


def _wrong_configuration(role: str, config: dict[str, str]) -> list[str]:
    wrong = []
    if role == "ledger" and (config.get("appendonly"), config.get("appendfsync")) != ("yes", "always"):
        wrong.append("appendonly yes and appendfsync always are needed, or a power cut loses punches")
    if config.get("maxmemory-policy") != "noeviction":
        wrong.append(f"maxmemory-policy is {config.get('maxmemory-policy')}, noeviction is needed")
    if role == "live" and (config.get("appendonly") == "yes" or config.get("save")):
        wrong.append('it writes to disk; set appendonly no and save "", so that no pictures stay')
    if role == "live" and config.get("maxmemory") == "0":
        wrong.append("maxmemory is not set, so frames could take all memory")
    return wrong


def _offset(role: str, offset_ms: int) -> Finding:
    words = f"{abs(offset_ms) / 1000:.1f} s {'ahead of' if offset_ms > 0 else 'behind'} the {role} Redis"
    if abs(offset_ms) > MAX_OFFSET_MS:
        return problem("clock", words, "let both machines follow a time server")
    return ok("clock", words)


def database() -> list[Finding]:
    """Whether the database can be reached and has this version's schema. Nothing is made or changed."""
    try:
        from dashboard.database import BadDatabase, engine_for, require_current
        from dashboard.settings import DashboardSettings
    except ModuleNotFoundError:
        return []  # told by the packages
    from sqlalchemy.exc import SQLAlchemyError

    try:
        settings = settings_from(DashboardSettings)
    except Problem:
        return []  # told by the settings
    file = settings.home / "attendance.db"
    if settings.database_url is None and not file.exists():
        return [warning("database", f"{file} is not there yet", "the first `attendance up` makes it")]
    try:
        engine = engine_for(settings.database)
        try:
            require_current(engine)
        finally:
            engine.dispose()
    except BadDatabase as error:
        return [problem("database", hide_passwords(str(error)), "as it says")]
    except SQLAlchemyError as error:
        words = hide_passwords(str(error).splitlines()[0])
        return [problem("database", words, "start the database server, or correct ATTENDANCE_DATABASE_URL")]
    return [ok("database", f"{engine.url.render_as_string(hide_password=True)}, schema up to date")]


def recogniser() -> list[Finding]:
    """Which network recognises, and whether it keeps the promise about strangers at the number of people enrolled."""
    findings = _configured_model()
    workers = _workers()
    for name, data in workers.items():
        check = f"worker {name}"
        epoch = f" (epoch {data['model_epoch']})" if data.get("model_epoch") else ""
        people, threshold = data.get("gallery_size"), data.get("threshold", 0)
        limit = " (the site's limit)" if data.get("site_limit") else ""
        words = f"serves {data.get('model_id')}{epoch}, {people} people, threshold {threshold:.2f}{limit}"
        if data.get("model_missing"):
            lacking = f"doesn't hold {data['model_missing']}, which is to serve, so it judges nobody"
            findings.append(problem(check, lacking, "bring it by `attendance model push`"))
        elif not data.get("ready", False):
            findings.append(
                warning(check, f"{words}; has no complete gallery, so it judges nobody", "is the recorder running?")
            )
        elif not data.get("meets_target", True):
            promised = (
                f"a stranger is accepted with a chance of up to {data.get('promised_fpir', 1):.2g}, more than wanted"
            )
            findings.append(warning(check, f"{words}; {promised}", "use a badge or PIN as well, or a stricter model"))
        elif data.get("accepts_too_few"):
            few = f"{data.get('true_accept_rate') or 0:.0%} of genuine comparisons are within it, under the 90 % wanted"
            findings.append(warning(check, f"{words}; {few}", "use a badge or PIN as well, or a better model"))
        else:
            findings.append(ok(check, words))
    models = sorted({str(data.get("model_id")) for data in workers.values()})
    if len(models) > 1:
        advice = "set ATTENDANCE_MODEL alike on all, or bring one in by `attendance model use`"
        findings.append(problem("recogniser", f"workers serve different models: {', '.join(models)}", advice))
    if not workers and site_urls():
        findings.append(warning("worker", "none is running", "start one: `attendance worker`, or `attendance up`"))
    return findings


def calibration() -> list[Finding]:
    """Whether enough people were enrolled since the last look at who is alike."""
    try:
        from dashboard.database import reading
        from dashboard.gallery import calibration as looks
        from deploy.site_database import site_database
    except ModuleNotFoundError:
        return []  # told by the packages
    models = sorted({str(data["model_id"]) for data in _workers().values() if data.get("model_id")})
    if not models:
        return []  # told by the workers' check
    try:
        with site_database() as factory, reading(factory) as session:
            offers = {model: looks.offered(session, model) for model in models}
            limits = looks.limits(session)
    except Problem:
        return []  # told by the database's check
    findings = [
        warning("calibration", f"{people} people enrolled since the last calibration", "run `attendance calibrate`")
        for people in offers.values()
        if people
    ]
    if not findings:
        set_here = ", ".join(f"{limits[model]:.4f}" for model in models if model in limits)
        findings.append(
            ok("calibration", f"the site's limit: {set_here}" if set_here else "no limit of the site's is set")
        )
    return findings


def _configured_model() -> list[Finding]:
    try:
        from worker.recogniser import describe
        from worker.settings import WorkerSettings

        about = describe(settings_from(WorkerSettings))
    except ModuleNotFoundError:
        return []  # told by the packages
    except Problem:
        return []  # told by the settings
    except ValueError as error:
        return [problem("recogniser", str(error), "correct ATTENDANCE_MODEL")]
    words = f"{about['words']}: {about['model_id']}, {about['licence']}"
    return [ok("recogniser", f"{words}; workers serve it unless `attendance model use` named another")]


def _workers() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    settings: CommonSettings = settings_from(CommonSettings)
    for shard in settings.all_shards:
        urls = site_urls(shard)
        if not urls:
            continue
        client = connect(urls["live"], name="doctor")
        try:
            found |= {beat.name: beat.data for beat in heartbeats.read(client, shard, "worker")}
        except (redis.exceptions.RedisError, OSError):
            pass  # told by the servers' check
        finally:
            client.close()
    return found


def liveness() -> list[Finding]:
    words = "not checked: a good photograph of somebody held up to the camera may be recorded as that person"
    return [warning("liveness", words, "watch the door, or use a badge or PIN as well where that matters")]


CHECKS = (redis_servers, database, recogniser, calibration, liveness)
