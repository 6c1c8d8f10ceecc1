"""Makes `tide_chat/safety/lookalikes.txt` from Unicode's confusables: letters that look like a Latin one.

Needs `pip install confusable-homoglyphs`, and only here: its tables take 900 kB and a tenth of a second to load, and of
them we need some hundred letters. Mathematical, fullwidth and circled letters are left out, as NFKC undoes them.
A line is a Latin letter and its look-alikes.
"""

import re
import unicodedata
from collections import defaultdict
from pathlib import Path

from confusable_homoglyphs.confusables import confusables_data  # type: ignore[import-untyped,import-not-found,unused-ignore]

TARGET = Path(__file__).parent.parent / "tide_chat" / "safety" / "lookalikes.txt"
_NAMED = re.compile(r"LATIN (?:SMALL |CAPITAL )?LETTER (?:SMALL CAPITAL |DOTLESS |SCRIPT |LONG )?([A-Z])(?: WITH .*)?")
# Seen in real messages and missing from Unicode's table, or there only as another letter.
_MORE = {
    "a": "αдλΛ∀", "b": "вбβҌ", "c": "сςↄ", "d": "ԁժ", "e": "еєεξэ", "f": "ғƒ", "g": "ԍ", "h": "нһҺ", "i": "іιїӏ",
    "j": "ј", "k": "кκқ", "l": "ⅼ", "m": "мṃ", "n": "пηиռ", "o": "оοσө", "p": "рρ", "q": "ԛ", "r": "гяʀ", "s": "ѕ",
    "t": "тτ", "u": "υцμ", "v": "ѵν", "w": "шωѡщ", "x": "хχ", "y": "уγү", "z": "ᴢ",
}  # fmt: skip


def latin(char: str) -> str | None:
    """The Latin letter that this one of another kind looks like."""
    if named := _NAMED.fullmatch(unicodedata.name(char, "")):
        return named[1].lower() if unicodedata.decomposition(char) == "" else None
    if "LATIN" in unicodedata.name(char, ""):
        return None
    seen = [row["c"].lower() for row in confusables_data.get(char, ()) if re.fullmatch("[A-Za-z]", row["c"])]
    return seen[0] if seen else None


def main() -> None:
    table: dict[str, str] = {}
    for code in (*range(0x180, 0x2FF), *range(0x370, 0x600), *range(0x1D00, 0x1DC0), *range(0x2100, 0x2E00)):
        char = chr(code)
        if (
            unicodedata.category(char)[0] in "LS"
            and unicodedata.normalize("NFKC", char) == char
            and (like := latin(char))
        ):
            table[char] = like
    for code in (*range(0x13A0, 0x1400), *range(0xA4D0, 0xA500), *range(0xA700, 0xA800), *range(0xAB30, 0xABC0)):
        if unicodedata.category(chr(code))[0] == "L" and (like := latin(chr(code))):
            table[chr(code)] = like
    table |= {char: letter for letter, chars in _MORE.items() for char in chars}
    groups: dict[str, list[str]] = defaultdict(list)
    for char, letter in sorted(table.items()):
        groups[letter].append(char)
    TARGET.write_text("".join(f"{k}\t{''.join(v)}\n" for k, v in sorted(groups.items())), encoding="utf-8")
    print(len(table), "letters")


if __name__ == "__main__":
    main()
