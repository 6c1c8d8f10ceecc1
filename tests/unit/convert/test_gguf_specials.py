"""Special tokens, what surrounds a text, the chat template: which file decides."""

import json
from pathlib import Path
from typing import Any

import pytest

from convert import specials
from tide_chat.errors import DataError

IDS = {"<s>": 0, "</s>": 1, "<|end|>": 2, "<pad>": 3, "[CLS]": 4, "[SEP]": 5}
BYTES = {"type": "ByteLevel", "trim_offsets": False}
TURNS = "{% for m in messages %}{{ m.content }}<|end|>{% endfor %}"


def template(*single: str) -> dict[str, Any]:
    """A post-processor; "$" stands for the text."""
    pieces = [{"Sequence": {"id": "A"}} if one == "$" else {"SpecialToken": {"id": one}} for one in single]
    return {"type": "TemplateProcessing", "single": pieces}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def keys(folder: Path, config: Any = None, post: Any = None, /, **settings: Any) -> dict[str, Any]:
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return specials.keys(folder, config or {}, {"post_processor": post}, IDS)


def test_tokens_by_text_then_by_number(folder: Path) -> None:
    found = keys(folder, {"bos_token_id": 3, "pad_token_id": 3}, bos_token="<s>", eos_token={"content": "</s>"})
    assert found["ggml.bos_token_id"] == 0
    assert found["ggml.eos_token_id"] == 1
    assert found["ggml.padding_token_id"] == 3
    assert "ggml.mask_token_id" not in found


def test_a_list_of_ends_gives_its_first(folder: Path) -> None:
    assert keys(folder, {"eos_token_id": [1, 2]})["ggml.eos_token_id"] == 1


def test_a_number_without_a_token_is_not_written(folder: Path) -> None:
    assert "ggml.pad_token_id" not in keys(folder, {"pad_token_id": 99})
    assert "ggml.bos_token_id" not in keys(folder, bos_token="<nothing>")


def test_bert_calls_them_otherwise(folder: Path) -> None:
    found = keys(folder, None, template("[CLS]", "$", "[SEP]"), cls_token="[CLS]", sep_token="[SEP]")
    assert (found["ggml.bos_token_id"], found["ggml.eos_token_id"], found["ggml.seperator_token_id"]) == (4, 5, 5)
    assert (found["ggml.add_bos_token"], found["ggml.add_eos_token"]) == (True, True)


@pytest.mark.parametrize(
    ("post", "settings", "expected"),
    [
        (None, {}, (False, False)),
        (None, {"add_bos_token": True}, (True, False)),
        (BYTES, {"add_bos_token": True}, (False, False)),
        (template("$"), {"add_bos_token": True, "add_eos_token": True}, (True, True)),
        (template("<s>", "$"), {"add_bos_token": False}, (True, False)),
        (template("<s>", "$", "</s>"), {}, (True, True)),
        ({"type": "Sequence", "processors": [BYTES, template("<s>", "$")]}, {}, (True, False)),
        ({"type": "BertProcessing", "cls": ["<s>", 0], "sep": ["</s>", 1]}, {}, (True, True)),
    ],
)
def test_what_surrounds_a_text(folder: Path, post: Any, settings: dict[str, Any], expected: tuple[bool, bool]) -> None:
    found = keys(folder, None, post, bos_token="<s>", eos_token="</s>", **settings)
    assert (found["ggml.add_bos_token"], found["ggml.add_eos_token"]) == expected


@pytest.mark.parametrize(
    "post",
    [template("<s>", "<s>", "$"), template("$", "</s>", "$"), template("<s>"), {"type": "RobertaProcessing"}],
)
def test_other_arrangements_are_refused(folder: Path, post: Any) -> None:
    with pytest.raises(DataError, match="post-processor is not known"):
        keys(folder, None, post, bos_token="<s>", eos_token="</s>")


def test_another_token_than_the_named_one_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="a GGUF cannot name"):
        keys(folder, None, template("<pad>", "$"), bos_token="<s>")


def test_the_templates_own_file_goes_first(folder: Path) -> None:
    assert keys(folder, chat_template="old")["chat_template"] == "old"
    (folder / "chat_template.json").write_text('{"chat_template": "json"}', encoding="utf-8")
    assert keys(folder)["chat_template"] == "json"
    (folder / "chat_template.jinja").write_text("{{ 'né' }}\r\n", encoding="utf-8", newline="")
    assert keys(folder, chat_template="old")["chat_template"].startswith("{{ 'né' }}")


def test_no_template_is_no_key(folder: Path) -> None:
    assert "chat_template" not in keys(folder)


def test_named_templates_are_kept(folder: Path) -> None:
    named = [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]
    assert keys(folder, chat_template=named)["chat_template"] == named


@pytest.mark.parametrize("wrong", [7, {"a": "b"}, [{"name": "default"}]])
def test_another_form_of_template_is_refused(folder: Path, wrong: Any) -> None:
    with pytest.raises(DataError, match="chat template cannot be read"):
        keys(folder, chat_template=wrong)


@pytest.mark.parametrize(
    ("stops", "text", "expected"),
    [
        ([1, 2], TURNS, 2),
        ([2, 1], TURNS, 2),
        ([1, 2], TURNS + "</s>", None),  # the end of a text ends turns too
        ([1], TURNS, None),
        ([1, 3], TURNS, None),
        (1, TURNS, None),
        (None, TURNS, None),
    ],
)
def test_the_end_of_a_turn(folder: Path, stops: Any, text: str, expected: int | None) -> None:
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": stops}), encoding="utf-8")
    assert keys(folder, eos_token="</s>", chat_template=text).get("ggml.eot_token_id") == expected


@pytest.mark.parametrize("text", ["{", "[]", "\ufffe"])
def test_a_damaged_file_is_named(folder: Path, text: str) -> None:
    (folder / "generation_config.json").write_text(text, encoding="utf-16")
    with pytest.raises(DataError, match=r"generation_config\.json cannot be read"):
        keys(folder)
