"""Looks through the heap for garbage while nobody waits for the screen. Knows no screen.

Python does that whenever enough was made, in the middle of whatever a key began, and with the objects of an interface
it takes longer than everything else that the key does.
"""

import gc
import time

QUIET_S = 2.0  # seconds without a key or a move of the mouse, before it is done
ENOUGH = 10  # collections of young objects, before it is worth it: Python's own number
AT_LAST = 100  # of them, before Python does it all the same: the more there is by then, the longer it takes


class Garbage:
    """One interface, from its first screen to its end."""

    def __init__(self) -> None:
        self._before = gc.get_threshold()
        self._touched = time.monotonic()

    def begin(self) -> None:
        """What start-up made stays to the end: looking through it again would be felt while typing."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*self._before[:2], AT_LAST)

    def touched(self) -> None:
        """Somebody does something, and waits for what comes of it."""
        self._touched = time.monotonic()

    def look(self) -> bool:
        """To be called every second or so. Whether the heap was looked through."""
        if gc.get_count()[2] < ENOUGH or time.monotonic() - self._touched < QUIET_S:
            return False
        gc.collect()
        return True

    def end(self) -> None:
        """As it was."""
        gc.set_threshold(*self._before)
