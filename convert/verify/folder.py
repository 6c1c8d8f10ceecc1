"""The HF folder that a GGUF is held against: its texts as they are on disk. Loads no model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.specials import read_json
from convert.verify.hushed import hushed
from tide_chat.errors import DataError, MissingExtra

Json = dict[str, Any]
Chat = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Folder:
    """config: as transformers completes it. tokenizer: a `tokenizers.Tokenizer`, which is the file itself. renderer:
    transformers' around a copy of it, which takes a while to make.

    eos: the id of the end of sequence. ends: all ids that generation stops at. special: texts of special tokens.
    """

    path: Path
    config: Json
    tokenizer: Any
    renderer: Any
    settings: Json
    template: str
    eos: int | None
    ends: frozenset[int]
    special: frozenset[str]

    def ids(self, text: str, *, framed: bool = False) -> list[int]:
        """Token ids of a text; framed: with the begin and end that the tokenizer itself adds."""
        return list(self.tokenizer.encode(text, add_special_tokens=framed).ids)

    def render(self, chat: Chat, *, reply: bool) -> str:
        """A chat as transformers writes it, the date left to the template; reply: up to where the next one begins.

        Raises DataError.
        """
        from jinja2 import TemplateError

        try:
            return str(
                self.renderer.apply_chat_template(
                    chat,
                    chat_template=self.template,
                    tokenize=False,
                    add_generation_prompt=reply,
                    date_string=_DATE,
                    enable_thinking=True,
                )
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise DataError("The folder's chat template does not work.", details=str(error)) from error


_DATE = "26 Jul 2024"  # what Llama's template falls back to in the app, which gives it no clock


def read(path: Path) -> Folder:
    """Raises DataError, MissingExtra."""
    try:
        from tokenizers import Tokenizer
        from transformers import AutoConfig
    except ImportError as error:
        raise MissingExtra("Verifying against the original model", "train") from error
    raw = read_json(path / "config.json", needed=True)
    settings = read_json(path / "tokenizer_config.json")
    generation = read_json(path / "generation_config.json")
    tokens = read_json(path / "tokenizer.json", needed=True)
    try:
        tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        with hushed():
            config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False).to_dict()
    except Exception as error:  # both raise bare Exception, ValueError, OSError and others of their own
        raise DataError("The folder cannot be read.", details=f"{path}: {error}") from error
    eos = tokenizer.token_to_id(_word(settings, "eos_token"))
    ends = {*_numbers(generation.get("eos_token_id")), *_numbers(raw.get("eos_token_id")), *_numbers(eos)}
    return Folder(
        path=path,
        config=raw | config,
        tokenizer=tokenizer,
        renderer=_renderer(tokenizer, settings),
        settings=settings,
        template=_template(path, settings),
        eos=eos,
        ends=frozenset(ends),
        special=frozenset(str(token["content"]) for token in tokens.get("added_tokens", ()) if token.get("special")),
    )


def _renderer(tokenizer: Any, settings: Json) -> Any:
    from transformers import PreTrainedTokenizerFast

    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    words = {name: word for name in names if (word := _word(settings, name))}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **words)


def _word(settings: Json, name: str) -> str:
    token = settings.get(name)
    token = token.get("content") if isinstance(token, dict) else token
    return str(token or "")


def _template(path: Path, settings: Json) -> str:
    """The chat template: newer folders keep it in a file of its own, older ones in the settings."""
    try:
        return (path / "chat_template.jinja").read_text(encoding="utf-8")
    except OSError:
        found = settings.get("chat_template") or ""
    if isinstance(found, list):
        found = next((entry["template"] for entry in found if entry.get("name") == "default"), "")
    return str(found)


def _numbers(value: Any) -> list[int]:
    if value is None:
        return []
    return [int(token) for token in value] if isinstance(value, list) else [int(value)]
