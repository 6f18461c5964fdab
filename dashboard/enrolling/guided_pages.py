"""Guided enrolment with the browser's camera: a hint for the frame that is seen now. Nothing of it is kept anywhere.

The page asks a few times a second, one frame at a time, and keeps the frame with the highest score of each pose; what the
clerk accepts then comes in as an upload does, and is judged again.
"""

from typing import Any

from flask import Blueprint, Flask, abort, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from dashboard.database import reading
from dashboard.enrolling.enrolment import may_enrol
from dashboard.enrolling.enrolment_words import HINTS, POSE_NAMES, POSES, words_for
from dashboard.enrolling.worker_requests import ask_worker, shard_with_worker
from dashboard.web.answers import services
from dashboard.web.locales import number_words
from worker.protocol.guided import GOOD_FRAMES, Hint, Pose
from worker.protocol.outcomes import Outcome

MAX_FRAME_BYTES = 400_000
"""Of a frame that is only looked at; the page sends 640 px, some 60 KB."""
LOOK_S = 2.0
"""An answer later than this would speak of somebody who has moved since."""

pages = Blueprint("guided", __name__, url_prefix="/people/<employee_id>/guided")


@pages.post("/look")
def look(employee_id: str) -> ResponseReturnValue:
    """What to tell the person about a JPEG in the request's body, for the pose `?pose=`. Refused without consent."""
    app = services()
    name = request.args.get("pose", "")
    if name not in set(Pose):
        abort(400, _("pose “%(name)s”: use one of %(known)s.", name=name[:40], known=", ".join(Pose)))
    length = request.content_length or 0
    if not 0 < length <= MAX_FRAME_BYTES:
        abort(
            400,
            _(
                "A frame of 1 to %(most)s bytes is needed, got %(length)s.",
                most=number_words(MAX_FRAME_BYTES),
                length=number_words(length),
            ),
        )
    with reading(app.sessions) as session:
        refusal = may_enrol(session, employee_id)
    if refusal:
        return jsonify(error=words_for(refusal)), 422
    shard = shard_with_worker(app.lives)
    reply = ask_worker(app.lives[shard], shard, request.get_data(cache=False), None, LOOK_S, pose=Pose(name))
    return jsonify(hint_words(reply.hint, reply.outcome, reply.score))


def hint_words(hint: Hint | None, outcome: Outcome, score: float | None) -> dict[str, Any]:
    """For script and page; `kind` is good, warn (something to do), or away (nobody looks at the frames)."""
    if hint is None:
        words = {
            Outcome.NO_WORKER: _(
                "No worker answers. Take the pictures yourself; they are judged when you accept them."
            ),
            Outcome.NOT_READY: _("The worker is still loading. One moment."),
        }.get(outcome, words_for(outcome))
        return {"hint": outcome.value, "words": words, "kind": "away", "score": None}
    return {"hint": hint.value, "words": HINTS[hint], "kind": "good" if hint is Hint.GOOD else "warn", "score": score}


def init_app(app: Flask) -> None:
    """What the pages that guide need of words."""
    app.jinja_env.globals.update(pose_names=POSE_NAMES, pose_words=POSES, good_frames=GOOD_FRAMES)
