"""The player, on a clock that the test moves."""

from dataclasses import dataclass, field

from tide_chat.clinician.script import Kind, Script, Step
from tide_chat.ui.screens.clinician.player import TICK_S, Player

STEPS = (Step(Kind.SAY, "Hello you", 1.0), Step(Kind.OPEN, "ground", 1.0), Step(Kind.NOTE, "So."))
SCRIPT = Script("A day", "Kim is made up.", STEPS)


@dataclass
class FakeStage:
    """The app: it answers for as long as the test says, and notes what is done to it."""

    did: list[str] = field(default_factory=list)
    typed: str = ""
    busy: bool = False
    panels: int = 0
    now: float = 0.0

    def clock(self) -> float:
        return self.now

    def ready(self) -> bool:
        return not self.busy

    def to_chat(self) -> bool:
        if self.panels:
            self.panels -= 1
            return False
        return True

    def type(self, text: str) -> None:
        self.typed += text

    def send(self) -> None:
        self.did.append(f"sent {self.typed}")
        self.typed, self.busy = "", True

    def note(self, text: str) -> None:
        self.did.append(f"note {text}")

    def open(self, command: str) -> None:
        self.did.append(f"open {command}")
        self.panels = 1

    def press(self, key: str) -> None:
        self.did.append(f"press {key}")

    def ended(self) -> None:
        self.did.append("ended")

    def run(self, player: Player, seconds: float) -> None:
        for _ in range(round(seconds / TICK_S)):
            self.now += TICK_S
            player.tick()


def play(**how: float | bool | None) -> tuple[FakeStage, Player]:
    stage = FakeStage()
    return stage, Player(stage, SCRIPT, **({"pace": 10.0} | how), clock=stage.clock)  # type: ignore[arg-type]


def test_it_types_at_its_pace_waits_for_the_reply_and_closes_what_is_open() -> None:
    stage, player = play()
    stage.run(player, 2.6)  # the note that says who speaks stands for a while
    assert stage.did == ["note A day. Kim is made up."]
    stage.run(player, 0.5)
    assert 2 <= len(stage.typed) <= 6
    stage.run(player, 1.5)
    assert stage.did[1:] == ["sent Hello you"]
    stage.run(player, 5.0)
    assert stage.did[2:] == []  # the reply is being written
    stage.busy = False
    stage.run(player, 0.9)
    assert stage.did[2:] == []  # it is being read
    stage.run(player, 0.3)
    assert stage.did[2:] == ["open ground"]
    stage.run(player, 6.0)
    assert stage.did[3:] == ["note So.", "ended"]
    assert stage.panels == 0
    assert player.over


def test_f6_stops_and_goes_on() -> None:
    stage, player = play()
    stage.run(player, 0.1)
    player.key()
    stage.run(player, 60.0)
    assert stage.did == ["note A day. Kim is made up."]
    player.key()
    stage.run(player, 0.2)
    assert stage.typed


def test_by_key_nothing_happens_before_the_key() -> None:
    stage, player = play(by_key=True)
    stage.run(player, 10.0)
    assert stage.did == []
    player.key()
    stage.run(player, 60.0)
    assert stage.did == ["note A day. Kim is made up."]
    player.key()
    stage.run(player, 60.0)
    assert stage.did[1:] == ["sent Hello you"]


def test_without_movement_a_line_is_there_at_once() -> None:
    stage, player = play(pace=None)
    stage.run(player, 3.4)
    assert stage.typed == "Hello you"
