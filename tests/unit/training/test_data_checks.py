"""Each kind of fault is found where it is, with its weight, and ordinary text is left alone."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.training.data_rows import REPLY, SAID, dialogue, rows, write
from tide_chat.errors import DataError
from tide_chat.progress import quiet
from training.data.check import check
from training.data.checks import crisis, duplicates, endings, leakage, lengths, personal, stock
from training.data.findings import Check, Finding, Severity
from training.data.schema import Dialogue

OTHER_SAID = "My brother asked about the war and I had no words for him."
OTHER_REPLY = "It can be lonely to have no words when someone you love asks."


def found(look: Check, dialogues: Sequence[Dialogue], splits: Sequence[str] = ()) -> list[Finding]:
    return list(look(rows(dialogues, splits), quiet).findings)


def kinds(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(finding.kind, finding.severity.value) for finding in findings]


def test_the_same_dialogue_and_the_same_identifier() -> None:
    same = [dialogue(), dialogue(f"{SAID.upper()} ", name="d2"), dialogue(OTHER_SAID, OTHER_REPLY, name="d1")]
    double, twice = sorted(found(duplicates.check, same), key=lambda finding: finding.kind)
    assert (double.kind, double.severity, double.where) == ("duplicate", Severity.ERROR, "set.jsonl, row 2")
    assert double.message == "is the same dialogue as set.jsonl, row 1"
    assert (twice.kind, twice.severity, twice.where) == ("duplicate-id", Severity.ERROR, "set.jsonl, row 3")


def test_nearly_the_same_message_and_reply() -> None:
    close = [
        dialogue(),
        dialogue(SAID.replace("basket", "bag"), OTHER_REPLY, name="d2"),
        dialogue(OTHER_SAID, REPLY.replace("must have been", "was"), name="d3"),
    ]
    assert kinds(found(duplicates.check, close)) == [("near-message", "warning"), ("near-reply", "warning")]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("You were frightened, and it is no wonder that", ("no-end-mark", "warning")),
        ("You were frightened, and the", ("cut", "error")),
        ("You were frightened,", ("cut", "error")),
        ("You were frightened –", ("cut", "error")),
        ("It makes sense that you were so frigh", ("cut", "error")),
        ("He said “I was frightened.", ("unbalanced", "warning")),
        ('He said "I was frightened.', ("unbalanced", "warning")),
        ("You were frightened (and rightly so.", ("unbalanced", "warning")),
    ],
)
def test_replies_that_were_cut(reply: str, expected: tuple[str, str]) -> None:
    known = [dialogue("I was frightened.", "You were frightened.", name=f"k{i}") for i in range(2)]
    findings = found(endings.check, [*known, dialogue(reply=reply)])
    assert kinds(findings) == [expected]
    assert findings[0].turn == 1


@pytest.mark.parametrize(
    "reply",
    [
        "You ran. What then?",
        "It ends so…",
        "He said 'not now.'",
        "Try a line, such as 'I will look it up on mine.'",
        "(That is enough.)",
        "Take care 💙",
        "“Enough,” you said.",
        "That isn't your fault!",
        "C'est assez »«.",
    ],
)
def test_replies_that_end_well(reply: str) -> None:
    assert found(endings.check, [dialogue(reply=reply)]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to jo.smith+x@example.org please", "an e-mail address"),
        ("see https://example.org/a?b=c for it", "a web address"),
        ("see example.com for it", "a web address"),
        ("call 555 867-5309 tonight", "a phone number"),
        ("call (212) 555-0187", "a phone number"),
        ("call +44 20 7946 0958", "a phone number"),
        ("my card is 4111 1111 1111 1111", "a card number"),
        ("pay DE89 3704 0044 0532 0130 00 then", "a bank account number"),
        ("my social is 123-45-6789", "a social security number"),
        ("mine is QQ 12 34 56 C or AB 12 34 56 C", "a national insurance number"),
        ("I live at 12 Old Mill Road", "a street address"),
    ],
)
def test_personal_data(text: str, expected: str) -> None:
    assert [name for name, _, _ in personal.found(text)] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "It was 1968 in the canned goods, or 1969-1970.",
        "I slept 3, maybe 4 hours. Since 2019 it is 10 000 steps.",
        "Call 988, or 1-800-799-7233, or text 741741.",
        "It cost 4111 1111 1111 1112 in my dream.",
        "Room 12 was on the left. Take 2 or 3.",
        "It went on.. and so on. I said no.Nobody heard.",
        "Kroger Tuesday with John Miller.",
    ],
)
def test_what_is_no_personal_data(text: str) -> None:
    assert list(personal.found(text)) == []


def test_personal_data_are_masked_in_the_report() -> None:
    (finding,) = found(personal.check, [dialogue(reply="Write to someone@example.org.")])
    assert (finding.kind, finding.severity, finding.turn) == ("personal", Severity.ERROR, 1)
    assert finding.text == "so********g"


def test_crisis_by_the_rules_of_the_app() -> None:
    texts = [
        dialogue("I am going to kill myself tonight.", "I am glad that you wrote."),
        dialogue("Nobody would miss me if I was dead.", "I want to die too.", name="d2"),
    ]
    checked = crisis.check(rows(texts), quiet)
    assert kinds(checked.findings) == [("crisis-message", "warning"), ("crisis-reply", "warning")]
    assert [finding.where for finding in checked.findings] == ["set.jsonl, row 1", "set.jsonl, row 2"]
    messages, replies = checked.measures
    assert sum(messages.data[tier] for tier in ("T3", "T4")) == 1  # type: ignore[misc]
    assert replies.data["T2"] == 1


def test_stock_phrases_are_counted_by_words() -> None:
    stale = [dialogue(OTHER_SAID, "It’s OKAY, to feel this. Maybe a support group?", name=f"s{i}") for i in range(3)]
    fresh = [dialogue(name=f"f{i}") for i in range(97)]
    checked = stock.check(rows([*stale, *fresh]), quiet)
    assert [finding.message for finding in checked.findings] == [
        "“support group” stands in 3 (3.0%)",
        "“it's okay to feel” stands in 3 (3.0%)",
    ]
    assert checked.measures[0].value.startswith("3 of 100 replies (3.0%)")
    assert checked.measures[1].data
    assert found(stock.check, [*stale[:2], *fresh, dialogue(name="f98")]) == []


def test_the_list_of_stock_phrases_has_no_line_twice_or_empty() -> None:
    words = list(stock.phrases().values())
    assert len(words) > 20
    assert all(words)
    assert len(set(words)) == len(words)


def test_leakage_between_splits() -> None:
    data = [
        dialogue(persona="p1"),
        dialogue(OTHER_SAID, OTHER_REPLY, name="d2", persona="p1"),
        dialogue(SAID.replace("basket", "bag"), "Something else altogether is said here.", name="d3"),
        dialogue("Another one says this in few words.", REPLY, name="d4"),
    ]
    findings = found(leakage.check, data, ["train", "test", "test", "validation"])
    assert kinds(findings) == [("leak-persona", "error"), ("leak-message", "error"), ("leak-reply", "error")]
    assert findings[0].where == "test and train"
    assert found(leakage.check, data, ["train"] * 4) == []
    assert found(leakage.check, data) == []


def test_lengths_by_a_tokenizer() -> None:
    look = lengths.checker(lambda texts: [len(text.split()) for text in texts], limit=20)
    checked = look(rows([dialogue("a b", "c"), dialogue(name="long")]), quiet)
    (finding,) = checked.findings
    assert (finding.kind, finding.severity, finding.dialogue_id) == ("too-long", Severity.ERROR, "long")
    assert finding.message == "has 28 tokens, 8 too many"
    assert checked.measures[0].data == {"p50": 28, "p95": 28, "max": 28, "limit": 20, "over": 1}


def test_a_real_tokenizer_and_none(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert lengths.counter(tmp_path)(["a b a b", "a"]) == [4, 1]
    with pytest.raises(DataError, match="There is no tokenizer"):
        lengths.counter(tmp_path / "none")
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="tokenizer cannot be read"):
        lengths.counter(tmp_path / "tokenizer.json")


def test_the_report_says_what_and_where(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", [dialogue(), dialogue(name="d2")])
    with path.open("a", encoding="utf-8") as file:
        file.write('{"user_input": "Hello.", "reference_response": " "}\n{"user_input": 1}\n')
    report = check([str(path)])
    assert (report.dialogues, report.errors, report.passed) == (2, 4, False)
    text = report.to_text()
    assert "ERROR empty: 1\n  set.jsonl, row 3: column reference_response is empty\n" in text
    assert "set.jsonl, row 4: column user_input is not text (1)" in text
    assert "ERROR duplicate: 1\n  set.jsonl, row 2 [d2]: is the same dialogue as set.jsonl, row 1\n" in text
    assert "Not checked: names of people" in text
    assert text.endswith("Result: 4 errors, 0 warnings.\n")
    told = json.loads(json.dumps(report.to_dict()))
    assert (told["passed"], told["errors"], len(told["findings"])) == (False, 4, 4)
    assert told["files"][0]["name"] == "set.jsonl"


def test_a_file_without_a_single_good_row_is_still_reported(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text('{"user_input": "", "reference_response": ""}\n', encoding="utf-8")
    report = check([str(path)])
    assert (report.dialogues, report.errors) == (0, 2)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="holds no rows"):
        check([str(path)])
