"""Which worker a kiosk belongs to: rendezvous hashing (highest random weight), the same answer for all who ask.

When a worker comes or goes, only the kiosks that it wins or held move; all others stay where their tracks are.
"""

import hashlib
from collections.abc import Iterable


def weight(kiosk: str, worker: str) -> int:
    """A number that looks random and is the same everywhere and always."""
    return int.from_bytes(hashlib.blake2b(f"{worker}\0{kiosk}".encode(errors="replace"), digest_size=8).digest())


def owner(kiosk: str, workers: Iterable[str]) -> str:
    """The rightful worker of a kiosk among `workers` (at least one); their order doesn't matter."""
    return max(workers, key=lambda worker: (weight(kiosk, worker), worker))
