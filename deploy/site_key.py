"""The site's pair of keys: `attendance site-key` shows the public half, the doctor looks whether everybody has theirs."""

import sys
from typing import Any

import redis

from deploy.doctor_finding import ok, problem, warning
from deploy.doctor_site import site_urls
from deploy.errors import Problem, settings_from
from deploy.secret_store import SITE_KEYS, load_site_keys
from worker.protocol import heartbeats
from worker.protocol.connection import connect
from worker.protocol.finding import Finding
from worker.protocol.sealing import key_id, public_of
from worker.protocol.settings import CommonSettings

CHECK = "site keys"
LOST = "people who come while Redis is away are not kept"


def run() -> int:
    """Print the line that a kiosk on another machine needs; the pair is made in the home when there is none. Raises Problem."""
    public, place = known_public_key() or (None, "")
    if public is None:
        home = settings_from(CommonSettings).home
        home.mkdir(parents=True, exist_ok=True)
        public, place = load_site_keys(home)[0], str(home / SITE_KEYS)
    print(f"ATTENDANCE_SITE_PUBLIC_KEY={public}")
    print(f"for kiosks; the private half, for workers alone, is in {place}: keep a copy of it", file=sys.stderr)
    return 0


def known_public_key() -> tuple[str, str] | None:
    """The key, and where its private half is; None where this machine knows none. Raises Problem on a damaged file."""
    from worker.settings import WorkerSettings

    private = settings_from(WorkerSettings).site_private_key
    if private is not None:
        return public_of(private.get_secret_value()), "ATTENDANCE_SITE_PRIVATE_KEY"
    home = settings_from(CommonSettings).home
    if (home / SITE_KEYS).exists():
        return load_site_keys(home)[0], str(home / SITE_KEYS)
    return None


def site_keys() -> list[Finding]:
    """Whether this machine, and all that runs on the site, can keep who comes during an outage."""
    try:
        known = known_public_key()
    except Problem as error:
        return [problem(CHECK, str(error), "as it says")]
    advice = "`attendance site-key` shows the line that kiosks need; workers need ATTENDANCE_SITE_PRIVATE_KEY"
    findings = []
    if known is not None:
        findings.append(ok(CHECK, f"the public key is {known[0]}, the private one in {known[1]}"))
    beats = _beats()
    if known is None and not beats:
        findings.append(warning(CHECK, f"none here: {LOST}", "`attendance up` makes a pair, `attendance site-key` too"))
    serving = {key for role, _, data in beats if role == "worker" and (key := _key(data))}
    for role, name, data in beats:
        key, check = _key(data), f"{CHECK}, {role} {name}"
        if key is None:
            findings.append(warning(check, f"it has none: {LOST}", advice))
        elif role == "kiosk" and serving and key not in serving:
            words = f"it seals to key {key}, workers open {', '.join(sorted(serving))}: what it keeps waits"
            findings.append(problem(check, words, advice))
        elif known is not None and key != key_id(known[0]):
            findings.append(warning(check, f"it has key {key}, this machine {key_id(known[0])}", advice))
    return findings


def _key(data: dict[str, Any]) -> str | None:
    key = data.get("site_key")
    return key if isinstance(key, str) and len(key) == 16 and key.isalnum() else None


def _beats() -> list[tuple[str, str, dict[str, Any]]]:
    """Role, name and data of every living kiosk and worker."""
    found = []
    for shard in settings_from(CommonSettings).all_shards:
        urls = site_urls(shard)
        if not urls:
            continue
        client = connect(urls["live"], name="doctor")
        try:
            beats = list(heartbeats.read(client, shard))
        except (redis.exceptions.RedisError, OSError):
            beats = []  # told by the servers' check
        finally:
            client.close()
        found += [(beat.role, beat.name, beat.data) for beat in beats if beat.role in ("kiosk", "worker")]
    return sorted(found, key=lambda one: one[:2])


CHECKS = (site_keys,)
