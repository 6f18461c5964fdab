"""Pictures to a worker and its answer back, over the live Redis; so the dashboard needs no network of its own."""

import contextlib
import time
from collections.abc import Mapping
from typing import cast

import numpy as np
import redis

from worker.protocol import heartbeats, keys
from worker.protocol.connection import MAX_BLOCK_MS
from worker.protocol.entries import BadEntry, EnrolReply, EnrolRequest, as_any, new_id, unpack_fields
from worker.protocol.guided import Pose
from worker.protocol.outcomes import Outcome

REQUESTS_KEPT = 32
"""Pictures that may wait for a worker; with 1.5 MB each they stay far below the live server's memory."""


def shard_with_worker(lives: Mapping[str, redis.Redis]) -> str:
    """A shard whose workers can judge a picture: all have the same gallery, so the first that has a worker."""
    first, *others = lives
    for shard in lives if others else ():
        with contextlib.suppress(redis.exceptions.RedisError, OSError):
            if any(heartbeats.read(lives[shard], shard, "worker")):
                return shard
    return first


def ask_worker(
    live: redis.Redis,
    shard: str,
    jpeg: bytes,
    employee_id: str | None,
    timeout_s: float,
    model_id: str | None = None,
    pose: Pose | None = None,
) -> EnrolReply:
    """Have a worker judge `jpeg`; only embed it where a `model_id` is named, only give a hint where a `pose` is.

    Outcome `no_worker`, with the reason, when none answers within `timeout_s`.
    """
    request = EnrolRequest(
        request_id=new_id(),
        employee_id=employee_id,
        jpeg=jpeg,
        model_id=model_id,
        pose=pose,
        deadline_ms=round(timeout_s * 1000),
    )
    stream, reply_key = keys.requests(shard), keys.reply(shard, request.request_id)
    deadline = time.monotonic() + timeout_s
    try:
        entry_id = live.xadd(stream, as_any(request.to_fields()), maxlen=REQUESTS_KEPT, approximate=False)
        while (left_s := deadline - time.monotonic()) > 0:
            answer = live.blpop([reply_key], timeout=max(0.01, min(left_s, MAX_BLOCK_MS / 1000)))
            if answer:
                return _checked(EnrolReply.from_fields(unpack_fields(cast(bytes, answer[1]))), request)
        live.xdel(stream, entry_id)  # so that a worker that comes later doesn't judge pictures nobody waits for
        reason = f"waited {timeout_s:.0f} s"
    except BadEntry as error:
        reason = f"its answer could not be read: {error}"
    except (redis.exceptions.RedisError, OSError) as error:
        reason = f"Redis is away: {error}"
    return EnrolReply(request_id=request.request_id, outcome=Outcome.NO_WORKER, reason=reason[:300])


def _checked(reply: EnrolReply, request: EnrolRequest) -> EnrolReply:
    if reply.request_id != request.request_id:
        raise BadEntry("request_id: answers another request")
    if request.model_id is not None and reply.model_id != request.model_id:
        raise BadEntry(f"model_id: {request.model_id} was asked for; update that worker")
    if request.pose is not None and reply.hint is None and reply.outcome not in (Outcome.NOT_READY, Outcome.BAD_FRAME):
        raise BadEntry("hint: missing; update that worker")
    if reply.outcome in (Outcome.ENROLLED, Outcome.ALREADY_ENROLLED):
        if reply.template is None or not reply.model_id:
            raise BadEntry("template, model_id: missing in a good verdict")
        if not np.isfinite(np.frombuffer(reply.template, "<f4")).all():
            raise BadEntry("template: holds numbers that are not finite")
    return reply
