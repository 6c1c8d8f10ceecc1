"""The mask law for every family: what is learnt is the replies and the token that ends each, and nothing else."""

import os
import unicodedata
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.training.chat_folders import FAMILIES, chat_folder
from tide_chat.errors import DataError, ModelUnusable, TemplateMissing
from tide_chat.messages import Conversation, Message, Role
from tide_chat.reasoning import ReasoningFilter
from training import chat_files, show
from training.render import WITHOUT_REASONING, ChatEncoder, Counts

GOLDEN = Path(__file__).parents[2] / "golden" / "training"
TALK = (
    Conversation()
    .user("I could not sleep again.")
    .assistant("That sounds exhausting. Night can be when the body keeps watch.")
    .user("  Fireworks started at ten 🎆\nand I hid in the bath.  ")
    .assistant("It makes sense that you hid. ¿Was the water warm?")
)


@cache
def encoder(family: str, system: str = "Be kind.") -> ChatEncoder:
    return ChatEncoder(chat_files.load(chat_folder(Path(mkdtemp(prefix="tide-chat-")), family)), system)


def learnt(one: ChatEncoder, talk: Conversation) -> list[str]:
    """What the model is taught to write, reply by reply, as the tokenizer reads it back."""
    found = []
    for example in one.fitted(talk, 100_000)[0]:
        ids, mask = example.ids.tolist(), example.mask.tolist()
        reply: list[int] = []
        for number, on in zip([*ids, -1], [*mask, False], strict=True):
            if on:
                reply.append(number)
            elif reply:
                found.append(one.files.decode(reply))
                reply = []
    return found


def expected(one: ChatEncoder, family: str, talk: Conversation) -> list[str]:
    before = WITHOUT_REASONING if family == "r1-distill" else ""
    texts = [one.files.renderer.defuse(m.text.strip()) for m in talk.messages if m.role is Role.ASSISTANT]
    normal = "NFC" if family == "qwen2.5" else None
    return [f"{before}{unicodedata.normalize('NFC', text) if normal else text}{one.end}" for text in texts]


@pytest.mark.parametrize("family", FAMILIES)
def test_golden(family: str) -> None:
    one = encoder(family)
    examples = one.fitted(TALK, 4096)[0]
    text = "\n====\n".join(show.plain(one, example) for example in examples) + "\n"
    path = GOLDEN / f"mask-{family}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_bytes(text.encode())
    assert path.read_bytes().decode() == text


@pytest.mark.parametrize("family", FAMILIES)
def test_the_end_of_a_reply_is_the_familys_own(family: str) -> None:
    assert encoder(family).end == FAMILIES[family][2]


WRITTEN = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), min_size=1, max_size=30)


@pytest.mark.parametrize("family", FAMILIES)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_mask_law(family: str, data: st.DataObject) -> None:
    one = encoder(family)
    written = st.one_of(WRITTEN, st.sampled_from(["x", *one.files.control])).map(lambda text: f"x{text}x")
    turns = data.draw(st.lists(st.tuples(written, written), min_size=1, max_size=3))
    talk = Conversation()
    for said, reply in turns:
        talk = talk.user(said).assistant(reply)
    assert learnt(one, talk) == expected(one, family, talk)


@pytest.mark.parametrize("family", FAMILIES)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_nobody_writes_a_control_token(family: str, data: st.DataObject) -> None:
    one = encoder(family)
    pieces = st.one_of(st.sampled_from(one.files.control), st.text(alphabet="<|｜>abc \n/", max_size=6))
    said = "".join(data.draw(st.lists(pieces, max_size=8)))
    control = {one.files.tokenizer.token_to_id(text) for text in one.files.control}

    def controls(text: str) -> list[int]:
        (example,) = one.fitted(Conversation().user(text).assistant("Yes."), 100_000)[0]
        return [number for number in example.ids.tolist() if number in control]

    assert controls(f"x {said} x") == controls("x")


@pytest.mark.parametrize("family", FAMILIES)
def test_what_comes_before_a_reply_is_the_prompt_of_the_app(family: str) -> None:
    one = encoder(family)
    prompt = one.files.renderer.render("Be kind.", Conversation(TALK.messages[:3])).text
    ids = list(one.files.tokenizer.encode(prompt, add_special_tokens=False).ids)
    ids = ids if tuple(ids[:1]) == one.files.first else [*one.files.first, *ids]
    example = one.fitted(TALK, 4096)[0][-1]
    assert example.ids.tolist()[: len(ids)] == ids
    assert example.mask[len(ids)]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_app_shows_what_was_learnt(family: str) -> None:
    one = encoder(family)
    talk = Conversation(TALK.messages[:2])
    prompt = one.files.renderer.render("Be kind.", Conversation(TALK.messages[:1]))
    (written,) = learnt(one, talk)
    shown = ReasoningFilter(inside=one.files.renderer.thinks(prompt))
    assert (shown.feed(written.removesuffix(one.end)) + shown.flush()).strip() == TALK.messages[1].text


def test_r1_learns_each_reply_from_the_prompt_it_will_get() -> None:
    one = encoder("r1-distill")
    first, second = one.fitted(TALK, 4096)[0]
    assert show.plain(one, first).count("<think>") == show.plain(one, second).count("<think>") == 1
    assert "keeps watch.<｜end▁of▁sentence｜><｜User｜>" in show.plain(one, second)


def test_too_long_loses_the_oldest_turn_and_cuts_no_reply() -> None:
    one = encoder("qwen2.5")
    whole, last = one.fitted(TALK, 4096)[0][0], Conversation(TALK.messages[2:])
    short = one.fitted(last, 4096)[0][0]
    (kept,), counts = one.fitted(TALK, len(whole) - 1)
    assert kept.ids.tolist() == short.ids.tolist()
    assert (counts.shortened, counts.turns_lost, counts.dropped, counts.ended) == (1, 1, 0, 1)
    found, counts = one.fitted(TALK, len(short) - 1)
    assert found == []
    assert (counts.dropped, counts.examples) == (1, 0)


def test_the_papers_length_cuts_and_says_so() -> None:
    one = encoder("llama-3.2", "")
    talk = Conversation(TALK.messages[:2])
    whole = one.fitted(talk, 4096)[0][0]
    (example,), counts = one.cut(talk, len(whole) - 3)
    assert len(example) == len(whole) - 3
    assert (counts.cut, counts.ended, counts.replies) == (1, 0, 1)
    prompt = int((~whole.mask).sum())
    assert one.cut(talk, prompt) == ([], Counts(dialogues=1, dropped=1, cut=1))


def test_the_whole_set_is_counted() -> None:
    one = encoder("smollm2")
    steps = []
    examples, counts = one.examples([TALK, TALK], 4096, say=lambda *step: steps.append(step))
    assert [example.source for example in examples] == [0, 1]
    assert (counts.dialogues, counts.replies, counts.ended) == (2, 4, 4)
    assert counts.targets == sum(int(example.mask.sum()) for example in examples)
    assert steps[-1] == ("tokenising", 2, 2)


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (Message(Role.USER, "a"),),
        (Message(Role.ASSISTANT, "a"), Message(Role.USER, "b"), Message(Role.ASSISTANT, "c")),
        (Message(Role.USER, "a"), Message(Role.ASSISTANT, "b"), Message(Role.ASSISTANT, "c")),
        (Message(Role.USER, "a"), Message(Role.ASSISTANT, "  ")),
    ],
)
def test_what_is_no_dialogue_is_refused(messages: tuple[Message, ...]) -> None:
    with pytest.raises(DataError, match="cannot be trained on"):
        list(encoder("qwen2.5").sequences(Conversation(messages)))


def test_a_template_that_ends_replies_with_words_is_refused(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path, "qwen2.5")
    (folder / "chat_template.jinja").write_text(
        "{% for m in messages %}<|im_start|>{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant: {% endif %}"
    )
    with pytest.raises(ModelUnusable, match="token of its own"):
        ChatEncoder(chat_files.load(folder), "Be kind.")


def test_a_folder_without_a_template_is_refused(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path, "qwen2.5")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(TemplateMissing):
        chat_files.load(folder)
    file = tmp_path / "other.jinja"
    file.write_bytes((Path(__file__).parents[2] / "data" / "templates" / "qwen2.5.jinja").read_bytes())
    assert ChatEncoder(chat_files.load(folder, file), "").end == "<|im_end|>"
