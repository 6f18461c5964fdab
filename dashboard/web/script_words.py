"""What the pages' scripts say, which the page hands over in its language (static/words.js): a script's own words by their names.

`{name}` is a place that the script fills.
"""

from flask_babel import lazy_gettext, lazy_pgettext

LIVE = {
    "open": lazy_pgettext("connection", "Live"),
    "lost": lazy_gettext("Connection lost, trying again …"),
    "interrupted": lazy_gettext("Live news is interrupted, trying again …"),
}
CAMERA = {
    "NotAllowedError": lazy_gettext(
        "The camera is refused. Allow it for this page in the browser’s address bar, then try again, or upload photos."
    ),
    "NotFoundError": lazy_gettext("This device has no camera. Upload photos instead."),
    "NotReadableError": lazy_gettext("The camera is in use by another program or tab. Close that one, then try again."),
    "OverconstrainedError": lazy_gettext("The camera can’t give a usable picture. Upload photos instead."),
    "insecure": lazy_gettext(
        "Browsers give the camera to secure pages only. Open this page over https, or on the same computer, or upload photos."
    ),
    "unplugged": lazy_gettext("The camera was unplugged or taken away. Connect it, then try again."),
    "unusable": lazy_gettext("The camera can’t be used ({error}). Upload photos instead."),
}
"""Those called …Error are a browser's names for why there is no camera."""
ENROL = {
    **CAMERA,
    "too_many": lazy_gettext("{count} pictures are chosen; send at most {most} at a time."),
    "too_large": lazy_gettext("{name} is over {most} MB. Choose a smaller picture."),
    "slow": lazy_gettext("The worker is slow. Hold still, or take the picture yourself."),
    "offline": lazy_gettext("The server can’t be reached. Take the picture yourself, or try again."),
    "not_taken": lazy_gettext("The picture couldn’t be taken. Try again."),
    "taken": lazy_gettext("taken"),
    "chosen": lazy_gettext("Chosen picture: {name}"),
    "stored": lazy_gettext("Stored"),
    "not_stored": lazy_gettext("Not stored"),
    "checking": lazy_gettext("Checking …"),
    "looking": lazy_gettext("The worker looks at it."),
    "refused": lazy_gettext("The server refused it without saying why."),
    "unreachable": lazy_gettext("The server can’t be reached. Check the connection and try again."),
    "undecided": lazy_gettext("The server can’t be reached. Nothing was enrolled; the decision isn’t kept."),
}
KIOSK_ENROL = {
    "left": lazy_gettext("The kiosk is a door again in {seconds} s."),
    "taken": lazy_gettext("taken"),
    "not_yet": lazy_gettext("not yet"),
    "silent": lazy_gettext("The server can’t say how it stands. Trying again."),
    "unreachable": lazy_gettext("The server can’t be reached. Trying again."),
}
FOLDER = {
    "all": lazy_gettext("All rows"),
    "results": lazy_gettext("Results so far"),
    "ready": lazy_gettext("To enrol"),
    "new": lazy_gettext("New, to be entered"),
    "has_pictures": lazy_gettext("Has pictures already"),
    "no_consent": lazy_gettext("No consent recorded"),
    "deactivated": lazy_gettext("Deactivated"),
    "refused": lazy_gettext("Can’t be entered"),
    "left_out": lazy_gettext("Left out"),
    "enrolled": lazy_gettext("Enrolled"),
    "look_alike": lazy_gettext("To decide: looks like somebody else"),
    "not_enrolled": lazy_gettext("Not enrolled"),
    "sending": lazy_gettext("Being sent …"),
    "done": lazy_gettext("{done} of {count} people"),
    "page": lazy_gettext("{first} to {last} of {count}"),
    "running": lazy_gettext("The pictures are being sent. Leave this page open."),
    "stopping": lazy_gettext("Stops after this person …"),
    "stopped": lazy_gettext("Stopped. Everybody who is enrolled stays enrolled; press “Go on” for the others."),
    "finished": lazy_gettext("Done: {enrolled} enrolled, {left} left to do."),
    "away": lazy_gettext("{words} Trying again …"),
    "paused": lazy_gettext("{words} Nothing is lost: press “Go on” to try again."),
    "unreachable": lazy_gettext("The server can’t be reached."),
    "logged_out": lazy_gettext(
        "You have been logged out. Reload this page, log in and choose the folder again: who is enrolled by then is passed over."
    ),
    "refused_all": lazy_gettext("The server refused it without saying why."),
    "unreadable": lazy_gettext("{name}: can’t be read any more"),
    "too_large": lazy_gettext("{name}: over {most} MB together; add it on the person’s page"),
    "none_left": lazy_gettext("No picture of theirs can be sent."),
    "go_on": lazy_gettext("Go on"),
    "start": lazy_gettext("Enrol"),
    "code": lazy_gettext("Code"),
    "name": lazy_gettext("Name"),
    "state": lazy_gettext("State"),
    "why": lazy_gettext("Why"),
}
OF_SCRIPTS = {"folder.js": FOLDER, "live.js": LIVE, "enrol.js": ENROL, "kiosk_enrol.js": KIOSK_ENROL}
"""By the script that a page begins with; what that imports finds its words there too."""


def script_words(script: str) -> dict[str, str]:
    return {name: str(words) for name, words in OF_SCRIPTS[script].items()}
