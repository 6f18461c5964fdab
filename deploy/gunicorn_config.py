"""gunicorn's settings for the dashboard: one process, whose threads the live boards' open streams share."""

import gc
from typing import Any

worker_class = "gthread"
workers = 1
threads = 16
"""An open live board holds one."""
graceful_timeout = 3
"""Seconds. Open streams never end by themselves; requests of other kinds are done by then."""
timeout = 60
loglevel = "warning"
control_socket_disable = True
"""gunicorn 25 and later would open a socket in the user's home folder; earlier ones ignore this line."""


def post_worker_init(_worker: Any) -> None:
    """Once the app is loaded, the collector leaves it alone: it would go through all of it while a table of days is made."""
    gc.collect()
    gc.freeze()
