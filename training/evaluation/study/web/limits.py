"""How often a client may do something: a bucket of tokens for each, which fills up again with time. Knows no page."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_MOST_CLIENTS = 10_000


class Buckets:
    """size: how often at once. per_second: how fast it fills again."""

    def __init__(self, size: float, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._size, self._per_second, self._clock = size, per_second, clock
        self._lock = threading.Lock()
        self._clients: dict[str, tuple[float, float]] = {}  # tokens, and when they were counted

    def take(self, client: str) -> bool:
        """False when the client has to wait."""
        with self._lock:
            tokens = self._tokens(client)
            if tokens < 1:
                return False
            self._forget_full_ones()
            self._clients[client] = (tokens - 1, self._clock())
            return True

    def has(self, client: str) -> bool:
        """Whether `take` would be allowed; takes nothing."""
        with self._lock:
            return self._tokens(client) >= 1

    def _tokens(self, client: str) -> float:
        tokens, counted = self._clients.get(client, (self._size, self._clock()))
        return min(self._size, tokens + (self._clock() - counted) * self._per_second)

    def _forget_full_ones(self) -> None:
        if len(self._clients) > _MOST_CLIENTS:
            self._clients = {one: kept for one, kept in self._clients.items() if self._tokens(one) < self._size}


@dataclass(frozen=True, slots=True)
class Limits:
    """Per client address; a class of fifty behind one address can work. codes: wrong ones."""

    requests: Buckets = field(default_factory=lambda: Buckets(600, 10))
    starts: Buckets = field(default_factory=lambda: Buckets(60, 1 / 10))
    codes: Buckets = field(default_factory=lambda: Buckets(10, 1 / 60))
