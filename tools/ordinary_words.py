"""Makes `tide_chat/safety/ordinary.txt`: `python tools/ordinary_words.py /usr/share/dict/{american,british}-english`.

Runs every word of the lists through the repair of damaged words, knowing only `words.txt`. Those that it would change
are ordinary words and names a slip away from a word of ours (`heroic`, `hearse`), and are listed, so that they stay as
they are, with some that were found in our own messages. To be run again after `tools/word_list.py`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from tide_chat.safety.disguise import as_meant
from tide_chat.safety.words import Words, read

SAFETY = Path(__file__).parent.parent / "tide_chat" / "safety"
TARGET = SAFETY / "ordinary.txt"
# Of our own messages: in no list of SCOWL, or read wrongly beside a neighbour only (`the mill` as `them ill`).
OWN = (
    "ach akong alam bagh barre bea bento besan brack bruh carb carking cath charot chole clonic coir commis "
    "conker crem crocs dala danno dbt dim donga dunna evil fete forrard frit godown grabe granda grandda haai "
    "herr joes lani lough mawmaw merch mill mnd nanna neet nit paan pani pharm phew poppet prat presso rach "
    "raj rehome res retiled righto roos sam scaries screw sheetz skool slay snog sook standup statin stollen "
    "strat sundal takis tench tiddler tigger tradie werther whee whipper wormer"
)
HEADER = """\
# Ordinary words and names that are one slip away from a word of ours, and so are never corrected.
# Made by tools/ordinary_words.py from some words of our own messages (CC0), which stand there, and from the word
# lists of SCOWL (Debian's wamerican and wbritish), which are
# Copyright 2000-2018 by Kevin Atkinson. Permission to use, copy, modify, distribute and sell these word lists, the
# associated scripts, the output created from the scripts, and its documentation for any purpose is hereby granted
# without fee, provided that the above copyright notice appears in all copies and that both that copyright notice and
# this permission notice appear in supporting documentation. Kevin Atkinson makes no representations about the
# suitability of this array for any purpose. It is provided "as is" without express or implied warranty.
"""


def changed(lists: list[Path], words: Words) -> Iterator[str]:
    every = {line.strip().lower() for path in lists for line in path.read_text(encoding="utf-8").splitlines()}
    for word in sorted(every):
        if word.isascii() and word.isalpha() and not words.knows(word) and as_meant(word, words) != word:
            yield word


def main() -> None:
    words = read((SAFETY / "words.txt").read_text(encoding="utf-8").splitlines(), ())
    found = sorted({*changed([Path(name) for name in sys.argv[1:]], words), *OWN.split()})
    TARGET.write_text(HEADER + "\n".join(found) + "\n", encoding="utf-8")
    print(len(found), "words")


if __name__ == "__main__":
    main()
