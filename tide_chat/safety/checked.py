"""The router's view of a message, also where the router fails; and of what was said earlier. Knows no screen."""

import threading
from collections.abc import Callable, Sequence

from tide_chat.safety.assessment import Assessment, Reason, Tier
from tide_chat.safety.state import RiskState

Assess = Callable[[str, RiskState | None], Assessment]
FAILED = "the check failed"  # a rule's name


def check(assess: Assess, text: str, risk: RiskState) -> Assessment:
    """What is made of a message. If that fails, the safer side: a card."""
    try:
        return assess(text, risk)
    except Exception as error:  # noqa: BLE001 - whatever fails here must not cost the person the card
        return Assessment(Tier.T2, subject="self", time="now", reasons=(Reason(FAILED, type(error).__name__),))


class Earlier:
    """Messages of a conversation that goes on, the oldest first, and the state after them.

    With the encoder that takes a second or two, so it is looked at in a thread while the conversation is read already;
    whoever needs it waits.
    """

    def __init__(self, assess: Assess, texts: Sequence[str]) -> None:
        self._assess, self._texts = assess, texts
        self._lock = threading.Lock()
        self._stopped = False
        self._known: RiskState | None = None  # once it was looked at

    def risk(self) -> RiskState:
        """The state after them. Blocks, the first time; from any thread."""
        with self._lock:
            if self._known is None:
                self._known = self._look()
            return self._known

    def stop(self) -> None:
        """Nobody needs it any more."""
        self._stopped = True

    def _look(self) -> RiskState:
        risk = RiskState()
        for text in self._texts:
            if self._stopped:
                break
            risk = risk.after(check(self._assess, text, risk), text)
        return risk
