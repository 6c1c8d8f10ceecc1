"""Names, places, numbers and addresses taken out of an export. A help, not a promise: somebody must read the result.

Taken out: e-mail and web addresses, everything with a digit, capitalised words, and the words that the user names.
Rather too much than too little: at the beginning of a sentence a capitalised word stays only when it is a common word
or stands somewhere else in small letters, and never when it stands somewhere as a name.

Not seen: names in small letters, numbers in words ("nineteen sixty-eight"), what points at somebody without a name (a
rank, a rare event, how somebody talks), and any name in a script without capitals.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

# Signs that stand for what was found until the end, so that no later rule sees it as words.
_NAME, _NUMBER, _EMAIL, _LINK = "\ue000", "\ue001", "\ue002", "\ue003"
_SHOWN = str.maketrans({_NAME: "[name]", _NUMBER: "[number]", _EMAIL: "[e-mail]", _LINK: "[link]"})

_ENDINGS = "com|org|net|gov|edu|mil|info|io|co|uk|ie|ca|us|au|nz|de|fr|es"
_RULES = (
    (_EMAIL, re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")),
    (_LINK, re.compile(r"(?:https?://|www\.)\S*[^\s.,;:!?)\"']", re.IGNORECASE)),
    (_LINK, re.compile(rf"(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.(?:{_ENDINGS})\b(?:/\S*)?", re.IGNORECASE)),
    (_NUMBER, re.compile(r"\+?\(?(?<![^\W_])[^\W_]*\d[^\W_]*(?:[ ().:/,-]{1,2}[^\W_]*\d[^\W_]*|\))*")),
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SHORTENED = re.compile(r"['’](?:s|m|re|ve|ll|d)$", re.IGNORECASE)
_BEFORE_WORDS = " \t\"'“”‘’()*_>#-"
_SENTENCE_ENDS = ".!?…:;\n"


class Redactor:
    """Made for one export: what stands in small letters anywhere in `texts` is an ordinary word."""

    def __init__(self, texts: Iterable[str], words: Iterable[str] = ()) -> None:
        self._ordinary = set(_words("common"))
        self._names: set[str] = set()
        named = sorted({word.strip() for word in words if word.strip()}, key=len, reverse=True)
        either = "|".join(map(re.escape, named)) or r"(?!)"
        self._rules = ((_NAME, re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)), *_RULES)
        for text in texts:
            self._learn(self._marked(text))

    def __call__(self, text: str) -> str:
        return _WORD.sub(self._word, self._marked(text)).translate(_SHOWN)

    def _marked(self, text: str) -> str:
        for sign, pattern in self._rules:
            text = pattern.sub(sign, text)
        return text

    def _learn(self, text: str) -> None:
        for found in _WORD.finditer(text):
            word = found.group()
            if word == word.lower():
                self._ordinary.add(_bare(word))
            elif not word.isupper() and not _begins(found):
                self._names.add(_bare(word))

    def _word(self, found: re.Match[str]) -> str:
        word = found.group()
        return word if word == word.lower() or self._stays(_bare(word), found) else _NAME

    def _stays(self, bare: str, found: re.Match[str]) -> bool:
        if bare in _words("always"):
            return True
        alone = found.group().isupper() or _begins(found)
        return alone and bare in self._ordinary and bare not in self._names


def _begins(found: re.Match[str]) -> bool:
    """Whether a word begins a sentence."""
    before = found.string[: found.start()].rstrip(_BEFORE_WORDS)
    return not before or before[-1] in _SENTENCE_ENDS


def _bare(word: str) -> str:
    return _SHORTENED.sub("", word).lower().replace("’", "'")


@cache
def _words(section: str) -> frozenset[str]:
    """A section of the list: a line that begins with #, and words until the next."""
    text = files("tide_chat.store").joinpath("redact_words.txt").read_text(encoding="utf-8")
    _, _, rest = text.partition(f"# {section}")
    return frozenset(rest.partition("\n")[2].partition("#")[0].split())
