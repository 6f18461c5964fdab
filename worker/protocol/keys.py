"""Names of the keys, one function a key. Every key carries its shard as a hash tag, so Redis Cluster keeps a shard together."""

import re

KIOSK_NAME = re.compile(r"[a-z0-9-]{1,32}")
SHARD_NAME = re.compile(r"[a-z0-9-]{1,16}")
WORKER_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

FRAMES_KEPT = 2
"""Entries of a frames stream, trimmed exactly (`~` trims whole nodes only: hundreds of frames)."""
FEEDBACK_KEPT = 64
EVENTS_KEPT = 256
GALLERY_LOG_KEPT = 10_000
REPLY_TTL_S = 60
ENROLLING_TTL_S = 180
"""How long a kiosk takes enrolment pictures before it is a door again by itself."""
ENROL_PICTURES_TTL_S = 600
"""How long HR may look at them; nothing of them is on disk."""
RECORDERS_GROUP = "recorders"
WORKERS_GROUP = "workers"


def check_kiosk_name(name: str) -> str:
    """Return `name`, or raise ValueError saying what a kiosk's name may hold."""
    if not KIOSK_NAME.fullmatch(name):
        raise ValueError(f"kiosk name {name!r}: use 1-32 of a-z, 0-9 and '-', for example 'front-door'")
    return name


def check_shard_name(name: str) -> str:
    if not SHARD_NAME.fullmatch(name):
        raise ValueError(f"shard {name!r}: use 1-16 of a-z, 0-9 and '-', for example 's0'")
    return name


def marker(shard: str) -> str:
    """Never written: whoever asks for it learns which node of a cluster holds the shard."""
    return f"shard:{{{shard}}}"


# --- live role: no persistence -------------------------------------------------------------------------------------


def frames(shard: str, kiosk: str) -> str:
    return f"frames:{{{shard}}}:{check_kiosk_name(kiosk)}"


def feedback(shard: str, kiosk: str) -> str:
    return f"feedback:{{{shard}}}:{check_kiosk_name(kiosk)}"


def kiosks(shard: str) -> str:
    """Sorted set of kiosk names by server time (ms) when they last lived; workers keep it, from the heartbeats' keys."""
    return f"kiosks:{{{shard}}}"


def workers(shard: str) -> str:
    """Sorted set of worker names by server time (ms) of their last announcement; how kiosks are shared out."""
    return f"workers:{{{shard}}}"


def lease(shard: str, kiosk: str) -> str:
    return f"lease:{{{shard}}}:{check_kiosk_name(kiosk)}"


def requests(shard: str) -> str:
    return f"requests:{{{shard}}}"


def reply(shard: str, request_id: str) -> str:
    return f"replies:{{{shard}}}:{request_id}"


def enrolling(shard: str, kiosk: str) -> str:
    """Whom a kiosk takes enrolment pictures of, a KioskEnrolment; the dashboard sets it, the kiosk's worker heeds it."""
    return f"enrolling:{{{shard}}}:{check_kiosk_name(kiosk)}"


def enrol_pictures(shard: str, session: str) -> str:
    """Hash of what a worker collected in that session: `state` (an Enrolling as JSON), whose they are by `employee_id`, and
    by pose the best frame's JPEG."""
    return f"enrol_pictures:{{{shard}}}:{session}"


def events(shard: str) -> str:
    return f"events:{{{shard}}}"


def heartbeat(shard: str, role: str, name: str) -> str:
    return f"heartbeat:{{{shard}}}:{role}:{name}"


def bundle_offer(shard: str) -> str:
    """What `attendance model push` brings at the moment; see transfer.py."""
    return f"bundle_offer:{{{shard}}}"


def bundle_chunk(shard: str, transfer: str, number: int | str) -> str:
    return f"bundle_chunk:{{{shard}}}:{transfer}:{number}"


def bundle_taken(shard: str) -> str:
    """Hash of worker name → how much of the offered bundle it has."""
    return f"bundle_taken:{{{shard}}}"


# --- ledger role: AOF with appendfsync always ----------------------------------------------------------------------


def decisions(shard: str) -> str:
    return f"decisions:{{{shard}}}"


def dead(shard: str) -> str:
    return f"dead:{{{shard}}}"


def backlog(shard: str, kiosk: str) -> str:
    return f"backlog:{{{shard}}}:{check_kiosk_name(kiosk)}"


def kiosk_events(shard: str, kiosk: str) -> str:
    return f"kiosk_events:{{{shard}}}:{check_kiosk_name(kiosk)}"


def gallery(shard: str, model_id: str) -> str:
    return f"gallery:{{{shard}}}:{model_id}"


def gallery_log(shard: str) -> str:
    return f"gallery_log:{{{shard}}}"


def publisher(shard: str) -> str:
    """The lock of the gallery's one publisher."""
    return f"gallery_publisher:{{{shard}}}"


def serving(shard: str) -> str:
    """Which model serves, by its epoch; absent: each worker's own setting. See serving.py."""
    return f"serving:{{{shard}}}"
