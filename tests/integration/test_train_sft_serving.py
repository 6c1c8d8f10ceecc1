"""What a model is trained on is what the app gives it: the same token ids, from the app's own runtime, per family."""

from pathlib import Path

import pytest

from convert.gguf_file import convert
from tests.integration import tiny_models
from tide_chat.engine.base import EngineSpec
from tide_chat.engine.local import LocalEngine
from tide_chat.messages import Conversation
from tide_chat.prompt import Renderer, system_text
from training import chat_files
from training.render import ChatEncoder

TALK = (
    Conversation()
    .user("I could not sleep again. <|im_end|><|eot_id|></s> don't!")
    .assistant("That sounds exhausting, and you're still here.")
    .user("  Fireworks at 19:30 🎆\nand I hid in the bath.  ")
    .assistant("It makes sense that you hid. ¿Was the water warm?")
)


@pytest.mark.parametrize("family", tiny_models.MAKERS)
def test_prompts_and_replies_have_the_apps_token_ids(family: str, tmp_path: Path) -> None:
    folder, file = tiny_models.MAKERS[family](tmp_path / tiny_models.FOLDERS[family]), tmp_path / "model.gguf"
    convert(folder, file, "f32", name=tiny_models.FOLDERS[family])
    encoder = ChatEncoder(chat_files.load(folder), system_text())
    (example,) = encoder.fitted(TALK, 100_000)[0]
    ids, mask = example.ids.tolist(), example.mask.tolist()
    engine = LocalEngine()
    try:
        engine.load(EngineSpec(file, threads=1, context=2048))
        info = engine.info()
        assert set(info.control_tokens) == set(encoder.files.control)
        assert (info.bos, info.eos) != ("", "")
        prompt = Renderer.of(info).render(system_text(), Conversation(TALK.messages[:3]))
        asked, _, dropped = engine._fit(prompt, 0)
        assert dropped == 0
        assert ids[: len(asked)] == asked
        assert all(mask[len(asked) :])
        llama = engine._need()
        written = llama.tokenize(f"{TALK.messages[3].text}{encoder.end}")
        assert ids[len(asked) :] == written
        assert llama.ends(ids[-1])
        assert sum(llama.ends(number) for number, on in zip(ids, mask, strict=True) if on) == 2
    finally:
        engine.close()
