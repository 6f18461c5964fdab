"""How fast a count rises, over the last seconds."""

from collections import deque


class Rate:
    """Call `of` about twice a second with the count; it gives what came per second within the last `window_s`."""

    def __init__(self, window_s: float = 10.0) -> None:
        self.window_s = window_s
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, count: int, now_s: float) -> float | None:
        """None until there are two looks."""
        self._seen.append((now_s, count))
        while len(self._seen) > 2 and self._seen[1][0] <= now_s - self.window_s:
            self._seen.popleft()
        first_s, first = self._seen[0]
        return round((count - first) / (now_s - first_s), 1) if now_s > first_s else None
