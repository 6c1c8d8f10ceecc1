"""What happened in a turn, as headings and lines for the inspector. Builds words; knows no screen and reads no file.

For the clinician who demonstrates the app. Nothing here is a measure of a person, and the first line says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tide_chat import scenario
from tide_chat.clinician.recorded import Turn
from tide_chat.engine.base import EngineInfo
from tide_chat.safety import join
from tide_chat.safety.classifier import Reading, Thresholds
from tide_chat.safety.guard import Held
from tide_chat.turn import SMALL

ABOUT = (
    "For demonstrations. Tiers and chances decide what this program does. They measure nobody, and the app shows "
    "them nowhere else."
)
ASK = "Switch the inspector on for this session?"
WHAT_IT_SHOWS = (
    "It is for a clinician who shows how this program works. It shows what the program made of the newest message: a "
    "tier with its reasons, chances, what was held back from the reply, and the whole prompt.\n\n"
    "Such numbers decide what the program does. They say nothing about a person, and they can be hard to read in a "
    "hard moment. It is off again when you leave."
)
LEAST = 0.1  # chance from which a flag or a situation of the encoder is worth a line
MOST_REASONS = 12
LIKELIEST = 3  # scenarios

TIERS = {
    0: "ordinary talk, idiom or fiction",
    1: "heavy distress, no wish to die",
    2: "a passive wish to die, being a burden, urges to self-injury",
    3: "intent, a way, preparation or goodbye",
    4: "plan, intent and means within a day, or an act in progress",
}
DID = {  # what the guard does beside holding sentences back, which stand in full
    "trailed_off": "the reply ran on when it ended, so it ends with …",
    "cut_sentence": "half a sentence at the limit was left out",
    "long_reply": "the reply was ended after as many sentences as are shown at most",
    "role_leak": "the model began to speak for somebody else, and was ended there",
    "loop": "the model repeated itself, and was ended there",
    "one_question_too_many": "a question was left out, after enough of them",
    "said_before": "a sentence was left out that an earlier reply had",
    "unwanted_topic": "a sentence about a topic that is not to be brought up was left out",
}
Span = tuple[int, int]  # of the text, in characters


@dataclass(frozen=True, slots=True)
class Line:
    """`label` stands before the text, empty for none. `marks` are parts of the text to be highlighted."""

    label: str
    text: str
    marks: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked up beside the turn. `missing` says why there are no readings. files: label to name and hash."""

    readings: Sequence[Reading] = ()
    thresholds: Thresholds | None = None
    missing: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    factors: Section | None = None


def sections(turn: Turn, looked: Looked) -> tuple[Section, ...]:
    """In the order in which a turn happens."""
    made = (
        Section("The message", (_message(turn),)),
        Section("The safety check", tuple(_check(turn))),
        Section("The risk encoder", tuple(_encoder(looked))),
        Section("Route", tuple(_route(turn))),
        looked.factors,
        Section("The guard over the reply", tuple(_guard(turn))),
        Section("The model", tuple(_model(turn, looked.files))),
        Section("Sampling, times and counts", tuple(_numbers(turn))),
        Section("The prompt as sent", (Line("", turn.prompt or "No prompt was sent: no model was asked."),)),
    )
    return tuple(section for section in made if section)


def text(made: Sequence[Section]) -> str:
    """The same as plain lines; marked words stand between [ and ]."""
    parts = [ABOUT]
    for section in made:
        lines = (f"{line.label}: {bracketed(line)}" if line.label else bracketed(line) for line in section.lines)
        parts.append("\n".join((section.title, *lines)))
    return "\n\n".join(parts)


def pieces(line: Line) -> Iterator[tuple[str, bool]]:
    """The text in parts; True: to be highlighted."""
    at = 0
    for start, end in line.marks:
        yield line.text[at:start], False
        yield line.text[start:end], True
        at = end
    yield line.text[at:], False


def bracketed(line: Line) -> str:
    return "".join(f"[{part}]" if marked else part for part, marked in pieces(line))


def merged(spans: Sequence[Span], length: int) -> tuple[Span, ...]:
    """Sorted, within the text, and none over another."""
    out: list[Span] = []
    for start, end in sorted((max(0, start), min(end, length)) for start, end in spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        elif start < end:
            out.append((start, end))
    return tuple(out)


def _message(turn: Turn) -> Line:
    spans = [reason.span for reason in turn.result.assessment.reasons if reason.span]
    return Line("", turn.text, merged(spans, len(turn.text)))


def _check(turn: Turn) -> Iterator[Line]:
    found = turn.result.assessment
    yield Line("Tier", f"T{int(found.tier)}: {TIERS[int(found.tier)]}")
    yield Line("Flags", ", ".join(found.flags) or "none")
    yield Line("About", f"{found.subject}, {found.time}")
    for reason in found.reasons[:MOST_REASONS]:
        yield Line("Reason", str(reason))
    if not found.reasons:
        yield Line("Reason", "no rule fired; the encoder hears heavy distress" if found.tier else "no rule fired")


def _encoder(looked: Looked) -> Iterator[Line]:
    if not looked.readings or looked.thresholds is None:
        yield Line("", f"It did not take part: {looked.missing or 'no answer'}.")
        return
    for number, reading in enumerate(looked.readings, 1):
        if len(looked.readings) > 1:
            kind = "some words by themselves" if reading.window else "read at once"
            yield Line("", f"Part {number} of {len(looked.readings)} of a long message, {kind}")
        limits = join.asked(reading, looked.thresholds)
        for tier, limit in {1: join.HEAVY, **limits.tiers}.items():
            yield Line(f"T{tier} or higher", f"{reading.at_least(tier):.2f}, taken from {limit:.2f} on")
        for name, chance in reading.flags.items():
            if chance >= min(LEAST, limits.flags[name]):
                yield Line(name, f"{chance:.2f}, raised from {limits.flags[name]:.2f} on")
        likely = sorted(reading.scenarios.items(), key=lambda one: -one[1])[:LIKELIEST]
        yield Line("Likeliest", f"about {reading.subject}, {reading.time}")
        yield Line("Scenarios", ", ".join(f"{name} {chance:.2f}" for name, chance in likely))


def _route(turn: Turn) -> Iterator[Line]:
    result = turn.result
    yield Line("Route", "the model wrote the reply" if turn.asked else "prepared words; no model was asked")
    for part in result.beside:
        yield Line("Prepared as well", part)
    yield Line("Cards", ", ".join(result.cards) or "none")
    if turn.asked:
        yield Line("Scenario", result.scenario or _no_scenario(turn))
        yield Line("Guidance", result.guidance or _no_guidance(turn))


def _no_scenario(turn: Turn) -> str:
    chance, likeliest = scenario.likeliest(turn.result.assessment.scenarios)
    if not chance:
        return "none: the encoder took no part"
    if chance < LEAST:
        return "none: no situation is likely"
    return f"none: the likeliest is {likeliest.name} with {chance:.2f}, taken from {scenario.SURE:.2f} on"


def _no_guidance(turn: Turn) -> str:
    small = turn.info is not None and 0 < turn.info.parameters < SMALL
    return "none: a model this small follows none and takes up its words" if small else "none"


def _guard(turn: Turn) -> Iterator[Line]:
    if not turn.asked:
        yield Line("", "Prepared words need no guard.")
        return
    yield Line("Did", ", ".join(turn.result.guard) or "nothing: every sentence passed")
    for action in dict.fromkeys(turn.result.guard):
        if action in DID:
            yield Line(action, DID[action])
    for held in turn.held:
        yield Line("Held back", _held(held))


def _held(held: Held) -> str:
    return f"“{held.text}” ({held.action}; {held.category}: {held.why})"


def _model(turn: Turn, files: Mapping[str, str]) -> Iterator[Line]:
    if turn.info is None:
        yield Line("", "No model is loaded.")
        return
    info = turn.info
    yield Line("Model", info.name)
    if info.parameters:
        yield Line("Weights", f"{info.parameters / 1e6:,.0f} million, {_kind(info)}")
    for label, value in files.items():
        yield Line(label, value)
    yield Line("Runs on", f"{info.device}; {info.build}" if info.build else info.device)
    for note in info.notes:
        yield Line("Note", note)


def _kind(info: EngineInfo) -> str:
    """Family and quantization. The size between them is the library's guess from the layers, and often wrong."""
    parts = info.description.split(maxsplit=2)
    return f"{parts[0]} {parts[2]}" if len(parts) == 3 else info.architecture


def _numbers(turn: Turn) -> Iterator[Line]:
    usage, params = turn.result.usage, turn.sampling
    yield Line("Whole turn", f"{turn.seconds:.2f} s")
    if not turn.asked:
        return
    seed = f"{usage.seed}" if params.seed is not None else f"{usage.seed}, drawn anew for this turn"
    yield Line("Seed", seed)
    yield Line(
        "Sampling",
        f"temperature {params.temperature:g}, top-k {params.top_k}, top-p {params.top_p:g}, min-p {params.min_p:g}, "
        f"repeat penalty {params.repeat_penalty:g} over {params.repeat_last_n} tokens, at most {params.max_tokens}",
    )
    yield Line("First token", f"after {usage.ttft_s:.2f} s")
    yield Line("Speed", f"{usage.decode_tps:.1f} tokens a second; threads: {usage.threads or 1}")
    yield Line(
        "Tokens",
        f"{usage.prompt_tokens} in the prompt, {usage.cached_tokens} of them cached; "
        f"{usage.completion_tokens} written; {usage.context_tokens} of {usage.context_size} in the context",
    )
    yield Line("Ended by", str(turn.result.finish_reason))
