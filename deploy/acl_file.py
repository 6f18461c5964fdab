"""`attendance acl`: the users of a site as lines of an ACL file, for Redis servers and clusters that we don't start."""

import sys

from deploy import acl
from deploy.errors import Problem, settings_from
from deploy.secret_store import SECRETS, load_passwords
from worker.protocol.keys import check_kiosk_name
from worker.protocol.settings import CommonSettings

OLDEST = (7, 0)
"""The lines suit every version: what newer ones ask for besides, redis-py does without."""


def run(role: str, kiosks: list[str]) -> int:
    """Print one line a user; their passwords are made once and kept. `role` is live, ledger or both. Raises Problem."""
    settings: CommonSettings = settings_from(CommonSettings)
    users = acl.site_users(settings.all_shards, doors(kiosks, settings.all_shards))
    passwords = load_passwords(settings.home, list(users))
    roles = ("live", "ledger") if role == "both" else (role,)
    for user, grants in users.items():
        print(acl.user_line(user, passwords[user], [grant for one in roles for grant in grants[one]], OLDEST))
    words = "put the lines into the aclfile of every node and run ACL LOAD there; switch the default user off"
    print(f"{len(users)} users; their passwords are in {settings.home / SECRETS}: {words}", file=sys.stderr)
    return 0


def doors(kiosks: list[str], shards: tuple[str, ...]) -> dict[str, str]:
    """Name → shard, from `name` or `name=shard`; raises Problem."""
    found: dict[str, str] = {}
    for text in kiosks:
        name, equals, shard = text.partition("=")
        if not equals and len(shards) > 1:
            raise Problem(f"--kiosk {text}: the site has shards {', '.join(shards)}; write name=shard")
        shard = shard if equals else shards[0]
        if shard not in shards:
            raise Problem(f"--kiosk {text}: no such shard, ATTENDANCE_SHARDS has {', '.join(shards)}")
        if name in found:
            raise Problem(f"--kiosk {name}: there twice; every door needs a name of its own")
        try:
            found[check_kiosk_name(name)] = shard
        except ValueError as error:
            raise Problem(f"--kiosk {text}: {error}") from None
    return found
