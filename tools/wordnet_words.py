"""Makes `training/evaluation/metrics/wordnet.txt.xz` from Princeton's WordNet 3.0.

    python tools/wordnet_words.py FOLDER      (Debian's `wordnet-base` puts it at /usr/share/wordnet)

METEOR asks which single words share a synset, so glosses, relations and words of several parts are left out, and
synsets that no lower-case word is in. The licence asks that its notice go with the data: it heads the file.
"""

import argparse
import lzma
import re
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).parent.parent / "training" / "evaluation" / "metrics" / "wordnet.txt.xz"
PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
_MARKER = re.compile(r"\(\w+\)$")  # where an adjective may stand: galore(ip)


def synsets(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """(part of speech, words) of every synset."""
    for name, part in PARTS.items():
        for line in (folder / f"data.{name}").read_text(encoding="utf-8").splitlines():
            if not line.startswith(" "):
                fields = line.split()
                count = int(fields[3], 16)
                yield part, [_MARKER.sub("", word) for word in fields[4 : 4 + 2 * count : 2]]


def irregular(folder: Path) -> Iterator[str]:
    for name, part in PARTS.items():
        for line in (folder / f"{name}.exc").read_text(encoding="utf-8").splitlines():
            form, *bases = line.split()
            if "_" not in form:  # also where no base is a single word: then the rules must not be applied
                yield " ".join((f"{part}!", form, *bases))


def notice(folder: Path) -> list[str]:
    """The licence, as the data files have it, without its line numbers."""
    head = [line for line in (folder / "data.noun").read_text(encoding="utf-8").splitlines() if line.startswith(" ")]
    return [f"# {re.sub(r'^ +[0-9]+ ?', '', line)}".rstrip() for line in head]


def lines(folder: Path) -> list[str]:
    forms = sorted(irregular(folder))
    keys = {base for line in forms for base in line.split()[2:]}  # comics: comic_strip, whose synset has "funnies"
    kept = set()
    for part, words in synsets(folder):
        wanted = [word for word in words if "_" not in word or word in keys]
        if any("_" not in word and word == word.lower() for word in wanted):
            kept.add(" ".join((part, *wanted)))
    about = "# Words of WordNet 3.0's synsets by part of speech, and irregular forms. Reduced for METEOR; the notice:"
    return [about, *notice(folder), *sorted(kept), *forms]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    made = "".join(f"{line}\n" for line in lines(parser.parse_args().folder))
    TARGET.write_bytes(lzma.compress(made.encode("utf-8"), preset=9 | lzma.PRESET_EXTREME))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
