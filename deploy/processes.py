"""Child processes that end when their parent does, even when the parent is killed hard."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
"""Opened before any fork: a child of a process with threads must not wait for the loader's lock."""


def die_with_parent() -> None:
    """For `preexec_fn`: ask Linux to send SIGTERM when the thread that started us ends. Elsewhere nothing can be asked.

    Start such children from the main thread only: the kernel watches the starting thread, not the process.
    """
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
