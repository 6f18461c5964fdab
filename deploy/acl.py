"""Who may do what in Redis: one user a process, and for each the fewest commands on the fewest keys.

A user is a list of grants, and each becomes a selector of Redis 7, `(+xadd %W~frames:{s0}:front-door)`: the commands of
one grant never reach the keys of another. What a process is called is what its keys are called, so a kiosk can neither
speak for another door nor read what it sees.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.protocol import keys

CONNECTION = ("+ping", "+time", "+client|setname")
"""What every user may do besides its grants. AUTH and HELLO are always allowed."""
FIND_SHARD = f"(+exists %R~{keys.marker('*')})"
"""On a Redis Cluster: asking for a key that nobody writes tells which node holds its shard."""
SETINFO_SINCE = (7, 2)
"""redis-py names itself to servers that know CLIENT SETINFO; an older one refuses a rule that mentions it."""


@dataclass(frozen=True)
class Grant:
    """Commands allowed on keys; `access` is R, W or RW. Without keys the commands are those that name none."""

    commands: str
    access: str = ""
    keys: tuple[str, ...] = ()

    def selector(self) -> str:
        words = [f"+{command}" for command in self.commands.split()]
        words += [f"%{self.access}~{pattern}" for pattern in self.keys]
        return f"({' '.join(words)})"


Grants = dict[str, list[Grant]]
"""By role of the server: live, ledger."""


def kiosk(shard: str, name: str) -> Grants:
    """Its own frames, heartbeat, backlog and events to write, its own feedback to read; nothing of anybody else's."""
    return {
        "live": [
            Grant("xadd", "W", (keys.frames(shard, name),)),
            Grant("xread xrevrange", "R", (keys.feedback(shard, name),)),
            Grant("set", "W", (keys.heartbeat(shard, "kiosk", name),)),
        ],
        "ledger": [
            Grant("xadd", "W", (keys.backlog(shard, name), keys.kiosk_events(shard, name))),
            Grant("xlen", "R", (keys.backlog(shard, name),)),
        ],
    }


def worker(shard: str) -> Grants:
    """Frames and enrolment requests in, feedback, replies and decisions out; the gallery and the kiosks' words to read."""
    s = f"{{{shard}}}"
    return {
        "live": [
            Grant("xread xrevrange xlen memory|usage", "R", (f"frames:{s}:*",)),
            Grant("del xtrim", "W", (f"frames:{s}:*",)),
            Grant("xadd", "W", (f"feedback:{s}:*",)),
            Grant("zadd zrangebyscore zremrangebyscore", "RW", (keys.kiosks(shard),)),
            Grant("zadd zrem zrangebyscore zremrangebyscore", "RW", (keys.workers(shard),)),
            Grant("get set del pexpire eval evalsha", "RW", (f"lease:{s}:*",)),
            Grant("xreadgroup xack xdel xgroup|create", "RW", (keys.requests(shard),)),
            Grant("rpush expire", "W", (f"replies:{s}:*",)),
            Grant("get", "R", (f"enrolling:{s}:*",)),
            Grant("hkeys hset expire", "RW", (f"enrol_pictures:{s}:*",)),
            Grant("get", "R", (keys.bundle_offer(shard), f"bundle_chunk:{s}:*")),
            Grant("hset expire", "W", (keys.bundle_taken(shard),)),
            Grant("set get", "RW", (f"heartbeat:{s}:worker:*",)),
            Grant("scan multi exec discard script|load"),
        ],
        "ledger": [
            Grant("xadd", "W", (keys.decisions(shard),)),
            Grant("xrevrange xread hget hgetall", "R", (f"gallery:{s}:*", keys.gallery_log(shard))),
            Grant("get", "R", (keys.serving(shard),)),
            Grant("xreadgroup xautoclaim xack xdel xgroup|create", "RW", (f"backlog:{s}:*", f"kiosk_events:{s}:*")),
            Grant("xlen memory|usage xtrim del", "RW", (f"backlog:{s}:*", f"kiosk_events:{s}:*")),
            Grant("scan multi exec discard"),
        ],
    }


def recorder(shard: str) -> Grants:
    """Decisions to take, what became of them to tell, and the gallery to publish: the recorder's process does both."""
    s = f"{{{shard}}}"
    take = "xreadgroup xautoclaim xack xdel xgroup|create xgroup|delconsumer xinfo|consumers"
    gallery = "watch hset hdel hget hgetall hexists del expire persist rename"
    return {
        "live": [
            Grant("xadd", "W", (f"feedback:{s}:*", keys.events(shard))),
            Grant("set", "W", (f"heartbeat:{s}:recorder:*",)),
            Grant("get", "R", (f"heartbeat:{s}:*",)),
            Grant("scan multi exec discard"),
        ],
        "ledger": [
            Grant(take, "RW", (keys.decisions(shard), f"kiosk_events:{s}:*")),
            Grant("xadd", "W", (keys.dead(shard),)),
            Grant(f"{gallery} xadd xinfo|stream", "RW", (f"gallery:{s}:*", keys.gallery_log(shard))),
            Grant("set get del pexpire", "RW", (keys.publisher(shard),)),
            Grant("watch get set", "RW", (keys.serving(shard),)),
            Grant("multi exec discard unwatch"),
        ],
    }


def dashboard(shard: str) -> Grants:
    """Enrolment requests and wishes out, replies, enrolment pictures, arrivals and signs of life in; of the ledger only how
    much is waiting.

    The deliverer has this user too: it looks whether all punches are in the database, and gives signs of life.
    """
    s = f"{{{shard}}}"
    return {
        "live": [
            Grant("xadd xdel", "W", (keys.requests(shard),)),
            Grant("blpop", "RW", (f"replies:{s}:*",)),
            Grant("set get del pttl watch", "RW", (f"enrolling:{s}:*",)),
            Grant("hget hgetall del", "RW", (f"enrol_pictures:{s}:*",)),
            Grant("xread xrevrange", "R", (keys.events(shard),)),
            Grant("zrange", "R", (keys.kiosks(shard),)),
            Grant("get", "R", (f"heartbeat:{s}:*",)),
            Grant("set", "W", (f"heartbeat:{s}:deliverer:*",)),
            Grant("scan multi exec discard unwatch"),
        ],
        "ledger": [Grant("xlen", "R", (keys.decisions(shard), keys.dead(shard), f"backlog:{s}:*"))],
    }


def operator(shard: str) -> Grants:
    """`attendance status`, `dead` and `model`: signs of life and lengths to see, dead letters to put back or drop, bundles
    to offer to workers, stored pictures to have embedded. Which model serves, it can't say: the recorder does."""
    s = f"{{{shard}}}"
    return {
        "live": [
            Grant("get", "R", (f"heartbeat:{s}:*",)),
            Grant("zrange", "R", (keys.kiosks(shard),)),
            Grant("set get del", "RW", (keys.bundle_offer(shard),)),
            Grant("set del", "W", (f"bundle_chunk:{s}:*",)),
            Grant("hgetall del", "RW", (keys.bundle_taken(shard),)),
            Grant("xadd xdel", "W", (keys.requests(shard),)),
            Grant("blpop", "RW", (f"replies:{s}:*",)),
            Grant("scan"),
        ],
        "ledger": [
            Grant("xlen", "R", (keys.decisions(shard), keys.dead(shard), f"backlog:{s}:*")),
            Grant("xrange watch", "R", (keys.dead(shard),)),
            Grant("get", "R", (keys.serving(shard),)),
            Grant("xdel", "W", (keys.dead(shard),)),
            Grant("xadd", "W", (keys.decisions(shard),)),
            Grant("multi exec discard unwatch"),
        ],
    }


def site_users(shards: Sequence[str], kiosks: Mapping[str, str]) -> dict[str, Grants]:
    """Every user of a site by name; `kiosks` says which shard each is in. The others serve all shards."""
    users = {f"kiosk-{name}": kiosk(shard, name) for name, shard in kiosks.items()}
    for role, grants_of in {
        "worker": worker,
        "recorder": recorder,
        "dashboard": dashboard,
        "operator": operator,
    }.items():
        of_shards = [grants_of(shard) for shard in shards]
        users[role] = {server: [grant for one in of_shards for grant in one[server]] for server in ("live", "ledger")}
    return users


def user_line(user: str, password: str, grants: list[Grant], server: tuple[int, int]) -> str:
    """The line of an ACL file for `user` on a server of that (major, minor) version. Only the password's hash is in it."""
    connection = [*CONNECTION, *(("+client|setinfo",) if server >= SETINFO_SINCE else ())]
    digest = hashlib.sha256(password.encode()).hexdigest()
    return " ".join(
        ["user", user, "on", f"#{digest}", *connection, FIND_SHARD, *(grant.selector() for grant in grants)]
    )
