"""Whether the runtime cuts text into the same tokens as the folder's tokenizer, and writes chats the same way."""

import unicodedata
from collections.abc import Iterable, Iterator

from convert.from_gguf.source import Source
from convert.verify.folder import Chat, Folder
from convert.verify.report import Line
from convert.verify.runtime import Runtime
from tide_chat.errors import TideError
from tide_chat.messages import Conversation, Message, Role
from tide_chat.prompt import Renderer

CORPUS = (
    "The quick brown fox can't jump; it'll wait. WE'RE HERE, I'D SAY 'tis fine.",
    "3 33 333 3333 3.14159 1e-10 x² ½ Ⅷ ٣٤ ๓ 𝟜",
    "😀 👩‍👩‍👧🏽 🇺🇦 ❤️‍🔥 ☺ 🫠🫶🏿 ok",
    "def f(x: int = 0) -> str:\n    return f'{x!r}'  # 100%\n\n\nif __name__ == \"__main__\":\n\tf(1)\n",
    "SELECT * FROM t WHERE a<>'b' AND c>=1; -- <b>x</b> &amp; https://example.org/?q=a+b#c",
    "one  two   three    four     five\ttab\t\ttabs",
    " leading, trailing ",
    "\n\n\n", "  \n \n  \n", "\r\n\r\n mixed \n\r ends \r", "   ", " ", "\t", "",
    "Привет, мир! Як справи? Καλημέρα κόσμε.",
    "你好，世界。今天天气怎么样？日本語のテキスト、カタカナ。안녕하세요 세계",
    "مرحبا بالعالم، كيف حالك؟ שלום עולם",
    "नमस्ते दुनिया। স্বাগতম வணக்கம் สวัสดีชาวโลก ជំរាបសួរ ආයුබෝවන්",
    "Zażółć gęślą jaźń. Größe, naïve café, İstanbul, Việt Nam.",
    "zero\u200bwidth\u200djoiner\u2060and\u00a0no-break\u3000wide\ufeffmark",
    "“quotes” ‘single’ — dash… ¿qué? ¡sí! №5 §3 €10 £5 ¥7",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!!!!!!!!!!!!!!!!!!!!!!!!????",
    "<|not_a_token|> <|im_star <s > [INST] </ s> <|",
    "Cafe\u0301 and A\u030angstrom, decomposed.",
)  # fmt: skip


def tokenisation(folder: Folder, runtime: Runtime) -> Iterator[Line]:
    """The corpus above, and every special token alone, between words and in a row."""
    special = sorted(folder.special | set(runtime.about.control))
    texts = [*CORPUS, *(f"a{token}b {token} \n{token}" for token in special[:64]), "".join(special[:64])]
    yield _compare("tokenisation", (text for text in texts if _composed(text)), folder, runtime)
    yield _compare("tokenisation, framed", (text for text in CORPUS if text and _composed(text)), folder, runtime, True)
    other = [text for text in CORPUS if not _composed(text) and folder.ids(text) != runtime.tokenize(text)]
    # Some tokenizers compose accents first, and the runtime never does: known, and of no weight for typed text.
    yield Line("tokenisation of decomposed accents", None, "differs" if other else "the same")


def _compare(what: str, texts: Iterable[str], folder: Folder, runtime: Runtime, framed: bool = False) -> Line:
    count, unlike = 0, []
    for text in texts:
        count += 1
        if folder.ids(text, framed=framed) != runtime.tokenize(text, framed=framed):
            unlike.append(text)
    shown = f"{count - len(unlike)} of {count} texts are cut the same"
    return Line(what, not unlike, shown, f"not: {unlike[0][:60]!r}" if unlike else "")


def _composed(text: str) -> bool:
    return unicodedata.is_normalized("NFC", text)


def endings(folder: Folder, runtime: Runtime, chats: Iterable[Chat]) -> Line:
    """Whether the runtime ends a reply at the end of sequence, and at the token that the template puts after a reply.

    HF may stop at more (Phi at the begin of the next turn): those are named, and not demanded.
    """
    needed = {folder.eos} if folder.eos is not None else set()
    for chat in chats:
        if folder.template and chat[-1]["role"] == "assistant":
            asked, whole = (folder.ids(folder.render(part, reply=part is not chat)) for part in (chat[:-1], chat))
            needed |= set([token for token in whole[len(asked) :] if token in folder.ends][:1])
    lacking = sorted(needed - runtime.about.ends)
    more = sorted(folder.ends - needed - runtime.about.ends)
    found = f"{sorted(needed & runtime.about.ends)}"
    note = f"not: {lacking}" if lacking else f"HF alone: {more}" if more else ""
    return Line("tokens that end a reply", bool(needed) and not lacking, found, note)


def rendering(source: Source, folder: Folder, runtime: Runtime, chats: Iterable[Chat]) -> Line:
    """Chats written by the app from the file's template, and by transformers from the folder's: texts and ids."""
    about, count, unlike = runtime.about, 0, []
    try:
        template = str(source.get("tokenizer.chat_template") or "")
        renderer = Renderer(template, bos=about.bos, eos=about.eos, control_tokens=about.control)
        for chat in chats:
            count += 1
            asked = chat[:-1] if chat[-1]["role"] == "assistant" else chat
            ours, theirs = renderer.render(*_conversation(asked)).text, folder.render(asked, reply=True)
            if ours != theirs or chat_ids(runtime, ours) != frame(runtime, folder.ids(theirs)):
                unlike.append(ours)
    except TideError as error:
        return Line("rendered chats", False, str(error))
    shown = f"{count - len(unlike)} of {count} have the same text and tokens"
    return Line("rendered chats", not unlike, shown, f"not: {unlike[0][:60]!r}" if unlike else "")


def chat_ids(runtime: Runtime, text: str) -> list[int]:
    """A rendered chat as the app feeds it: the begin of sequence put first where the vocabulary asks for it."""
    return frame(runtime, runtime.tokenize(text))


def frame(runtime: Runtime, ids: list[int]) -> list[int]:
    first = list(runtime.about.first)
    return ids if not first or ids[:1] == first else first + ids


def _conversation(chat: Chat) -> tuple[str, Conversation]:
    system = chat[0]["content"] if chat[0]["role"] == "system" else ""
    said = [one for one in chat if one["role"] != "system"]
    return system, Conversation(tuple(Message(Role(one["role"]), one["content"]) for one in said))
