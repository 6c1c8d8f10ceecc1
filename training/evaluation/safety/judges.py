"""What is compared: rules alone, the encoder alone, both as the app joins them, and the app without the encoder.

The encoder's readings are kept by text, so that a text costs one reading in a run. An encoder that is asked for and
cannot be used ends the run; it is never left out quietly.
"""

import time
from collections.abc import Callable
from pathlib import Path

from tide_chat.errors import TideError
from tide_chat.safety import join, router, state
from tide_chat.safety.assessment import Assessment
from tide_chat.safety.classifier import Classifier, Reading
from tide_chat.safety.encoder import Unavailable, default_folder
from tide_chat.safety.state import RiskState

Judge = Callable[[str, RiskState | None], Assessment]

MODES = ("rules", "encoder", "both", "reduced")
PATIENCE = 60.0  # seconds for a reading; a busy machine must not change the figures
_MAY_PASS = ("too long", "busy", "not loaded yet")  # of the reasons why there was no reading


class EncoderUnusable(TideError):
    """The encoder was asked for and does not answer."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "The encoder cannot be used.", details=f"{why}.", help="--mode rules measures the rules without it."
        )


class Remembering(Classifier):
    """A classifier that reads each text once. Raises EncoderUnusable where the app would go on with rules alone."""

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(folder or default_folder(), patience=PATIENCE)
        self._known: dict[str, list[Reading]] = {}

    def read(self, text: str) -> list[Reading]:
        if text not in self._known:
            self._known[text] = self._once(text)
        return self._known[text]

    def _once(self, text: str) -> list[Reading]:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return super().read(text)
            except Unavailable as error:
                if time.monotonic() > end or not any(reason in str(error) for reason in _MAY_PASS):
                    raise EncoderUnusable(str(error)) from error
                time.sleep(0.1)


class Silent(Classifier):
    """As when an encoder cannot be used: what stands beside its file is there."""

    def __init__(self, like: Classifier) -> None:
        super().__init__(default_folder())
        like.read("")  # so that it is loaded
        self._heads = like.heads

    def read(self, text: str) -> list[Reading]:
        raise Unavailable("the encoder is left out")


def judge(mode: str, encoder: Classifier | None) -> Judge:
    """How messages are assessed in this mode. `encoder` may be None for `rules` only."""
    if mode == "rules":
        return router.assess
    if encoder is None:
        raise EncoderUnusable("There is none")
    if mode == "encoder":
        return _encoder_alone(encoder)
    return router.Router(Silent(encoder) if mode == "reduced" else encoder).assess


def _encoder_alone(encoder: Classifier) -> Judge:
    """The encoder's thresholds with nothing from the rules; several turns are taken together as in the app."""

    def alone(text: str, *, firm: bool = False) -> Assessment:
        readings, limits = encoder.read(router.excerpt(text)), encoder.thresholds
        return join.join(Assessment(), readings, join.firmer(limits) if firm else limits, join.Context())

    def assess(text: str, before: RiskState | None) -> Assessment:
        return state.over_turns(alone, text, before)

    return assess
