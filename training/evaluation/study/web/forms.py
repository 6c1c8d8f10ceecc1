"""What browsers send, read strictly: a value, or what to tell the rater. Knows no page and no database."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from itsdangerous import BadData, URLSafeSerializer
from werkzeug.datastructures import MultiDict

from training.evaluation.study.questions import AGES, EDUCATION, GENDERS, REGIONS, About

Form = MultiDict[str, str]
SCALE = {1: "Not at all", 2: "A little", 3: "Somewhat", 4: "Very", 5: "Extremely"}
SHOWN = "shown"
_MOST_DIGITS = 3


def reply_field(place: int) -> str:
    """place: from 1, on the page."""
    return f"reply-{place}"


@dataclass(frozen=True, slots=True)
class Marks:
    """values: place to mark, where one was chosen. errors: field to what to tell."""

    values: Mapping[int, int] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def marks(form: Form, count: int) -> Marks:
    values = {}
    for place in range(1, count + 1):
        given = form.getlist(reply_field(place))
        if len(given) == 1 and given[0] in map(str, SCALE):
            values[place] = int(given[0])
    absent = [place for place in range(1, count + 1) if place not in values]
    errors = {reply_field(place): f"Reply {place}: please choose one of the five." for place in absent}
    return Marks(values, errors)


def about(form: Form) -> tuple[About, dict[str, str]]:
    """What was left out is "rather not say"; what is there has to be one of the choices."""
    errors = {}
    age = form.get("age", "").strip()
    if age and not (age.isascii() and age.isdecimal() and len(age) <= _MOST_DIGITS and int(age) in AGES):
        errors["age"] = f"Age: a whole number from {AGES[0]} to {AGES[-1]}, or nothing."
    choices: dict[str, Collection[str]] = {"gender": GENDERS, "education": EDUCATION, "region": REGIONS}
    chosen = {name: form.get(name, "") for name in choices}
    for name, known in choices.items():
        if chosen[name] and chosen[name] not in known:
            errors[name] = f"{name.capitalize()}: please choose one of the list."
    if errors:
        return About(), errors
    return About(int(age) if age else None, **chosen), {}


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a page was shown to whom, signed, so that the time spent on it needs no trust. at: seconds of the epoch."""

    secret: str

    def make(self, rater: int, page: int, at: float) -> str:
        return str(self._serializer.dumps([rater, page, round(at, 3)]))

    def read(self, text: str, rater: int, page: int) -> float | None:
        """None when it is not ours, or another page's."""
        try:
            who, which, at = self._serializer.loads(text)
        except (BadData, ValueError, TypeError):
            return None
        return float(at) if (who, which) == (rater, page) else None

    @property
    def _serializer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt="page shown")
