"""A desk over the doubles of the app: a recorded conversation on the scripted engine, and an encoder that answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from tests.ui.doubles import Doubles, FakeEngine
from tide_chat.clinician.desk import Desk
from tide_chat.clinician.recorded import Recorded
from tide_chat.compose import Session
from tide_chat.config import Settings
from tide_chat.registry import Resolved
from tide_chat.safety.classifier import Heads, Reading, load_heads
from tide_chat.safety.encoder import Unavailable, default_folder
from tide_chat.ui.ports import Core


@dataclass
class FakeEncoder:
    """The real heads on a vector that says nothing; or none at all."""

    missing: str = ""

    @property
    def heads(self) -> Heads:
        if self.missing:
            raise Unavailable(self.missing)
        return load_heads(default_folder() / "risk-encoder.json")

    def vector(self, text: str, *, glossed: bool = False) -> Sequence[float]:
        return [0.0] * 384

    def read(self, text: str) -> Sequence[Reading]:
        raise Unavailable("rules alone")


class FakeGuard:
    """Holds nothing back, and knows no question."""

    def doubt(self, text: str) -> str | None:
        return None

    topic = doubt


@dataclass
class FakeSession:
    """What a desk asks of a session, and a conversation beside it. used: models that were changed to."""

    resolved: Resolved | None = None
    companion: Recorded | None = None
    supervisor: FakeEngine | None = None
    chosen: str | None = None
    used: list[str | None] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)
    classifier: FakeEncoder = field(default_factory=FakeEncoder)
    guard: FakeGuard = field(default_factory=FakeGuard)

    def use(self, name: str | None) -> None:
        self.used.append(name)

    change_to = use


def desk_of(doubles: Doubles, model: Path, *, on: bool = False) -> Desk:
    """`model` is a file whose checksum is shown."""
    talk = Recorded(doubles.engine, system="Be kind.", country="US")
    session = FakeSession(Resolved(model, "smollm2-135m", None, "chosen"), talk, doubles.engine)
    return Desk(cast("Session", session), talk, on)


def core_of(doubles: Doubles, desk: Desk) -> Core:
    return replace(doubles.core, talk=desk.talk, desk=desk)
