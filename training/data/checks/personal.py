"""Personal data: e-mail and web addresses, phone numbers, street addresses, card, bank and identity numbers.

Names of people are not looked for: a first name and a surname in a row look like too much else ("Kroger Tuesday"), and
a check that cries always is not read. What is found is masked in the report.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tide_chat.progress import Say
from tide_chat.safety import helplines
from training.data.findings import Checked, Finding, Severity, of_row
from training.data.schema import Row


@dataclass(frozen=True, slots=True)
class _Sort:
    name: str
    severity: Severity
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = lambda _: True  # a second look at what the pattern saw


def check(rows: Sequence[Row], _say: Say) -> Checked:
    """Errors: what points at one person. Warnings: web and street addresses, which often point at nobody."""
    return Checked(tuple(finding for row in rows for finding in _in_row(row)))


def _in_row(row: Row) -> Iterator[Finding]:
    for turn, message in enumerate(row.dialogue.turns):
        for name, severity, words in found(message.text):
            yield of_row("personal", severity, row, f"holds {name}", turn=turn, text=_masked(words))


def found(text: str) -> Iterator[tuple[str, Severity, str]]:
    """(what it is, how grave, the words) of all personal data in a text; each place counts once, as the surest sort."""
    for sort in _SORTS:
        matches = [match for match in sort.pattern.finditer(text) if sort.holds(match.group())]
        for match in matches:
            yield sort.name, sort.severity, match.group()
            text = text[: match.start()] + " " * len(match.group()) + text[match.end() :]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _luhn(text: str) -> bool:
    """The check digit of bank cards."""
    numbers = [int(digit) for digit in reversed(_digits(text))]
    doubled = sum(sum(divmod(2 * number, 10)) for number in numbers[1::2])
    return 13 <= len(numbers) <= 19 and (sum(numbers[::2]) + doubled) % 10 == 0 and len(set(numbers)) > 1


def _iban(text: str) -> bool:
    """The check digits of a bank account (ISO 13616)."""
    plain = text.replace(" ", "").upper()
    turned = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def _is_phone(text: str) -> bool:
    """As long as a phone number, no pair of years, and not a helpline's."""
    digits = _digits(text)
    if _YEARS.fullmatch(text):
        return False
    return 7 <= len(digits) <= 15 and digits.removeprefix("1") not in _helplines() and digits not in _helplines()


@cache
def _helplines() -> frozenset[str]:
    return frozenset(
        number
        for country in helplines.directory().values()
        for line in (country.emergency, *(entry.line for entry in country.entries))
        for number in (_digits(line.number), _digits(line.number).removeprefix("1"))
        if number
    )


def _masked(words: str) -> str:
    """Enough to find it, not enough to pass it on."""
    return f"{words[:2]}{'*' * min(8, max(1, len(words) - 3))}{words[-1:]}"


_YEARS = re.compile(r"(?:19|20)\d\d[ -]{1,3}(?:19|20)\d\d")
_STREET = (
    r"street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|place|close|crescent|terrace|square|way"
)
_SORTS = (
    _Sort("an e-mail address", Severity.ERROR, re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    _Sort(
        "a web address",
        Severity.WARNING,
        re.compile(r"(?:https?://|www\.)\S+|\b[\w-]+\.(?:com|org|net|gov|edu)\b", re.IGNORECASE),
    ),
    _Sort(
        "a bank account number",
        Severity.ERROR,
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
        _iban,
    ),
    _Sort("a card number", Severity.ERROR, re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)"), _luhn),
    _Sort("a social security number", Severity.ERROR, re.compile(r"(?<!\d)(?!000|666|9)\d{3}-\d{2}-\d{4}(?!\d)")),
    _Sort(
        "a national insurance number",
        Severity.ERROR,
        re.compile(r"\b[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"),
    ),
    _Sort(
        "a phone number",
        Severity.ERROR,
        re.compile(r"(?<![\w.])(?<!\d[ .-])\+?\(?\d(?:[ ().-]{0,2}\d){6,14}(?!\w|[ .-]\d)"),
        _is_phone,
    ),
    _Sort("a street address", Severity.WARNING, re.compile(rf"\b\d{{1,5}} (?:[A-Z][\w'’]+ ){{1,3}}(?i:{_STREET})\b")),
)
