"""How long the metrics take beside the reference libraries called pair by pair, in one run, and how far values differ.

    python tools/bench_metrics.py [--pairs 320] [--conditions 16] [--only meteor,rouge_l] [--json]

`--pairs 4000` is what the project promises a ratio of 3 for. The pairs are those of an evaluation of the size of the
paper's Table 1: each reference is answered under 16 conditions (8 models, zero-shot and fine-tuned), and each reply is
measured against its own and against a wrong reference, as `tide-eval auto` does. Every reply is another text: sentences
of the open dialogues, mixed. Each library is called as its documentation shows, its model loaded once; sentence
embeddings as sentence-transformers makes them, one text a call. NLTK reads WordNet from its own corpus where that is
installed, else from our file, looked up anew each time, which is faster than its own reader. The figures are seconds
of processor time, so that other programs on the computer disturb little.
"""

import argparse
import json
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from training.data import sources
from training.evaluation.metrics import REFERENCE_BASED, Settings, cosine, encoders, wordnet
from training.evaluation.metrics import Scorer as Metrics
from training.evaluation.metrics.floor import wrong_reference
from training.evaluation.metrics.pairs import Pair
from training.evaluation.replies import Reply
from training.hushed import hushed

GOAL = 3.0
Reference = Callable[[Pair], float]


def make_replies(pairs: int, conditions: int, seed: int = 0) -> list[Reply]:
    """Half as many as pairs, since each is compared twice."""
    rng = random.Random(seed)
    known = list(dict.fromkeys(reply for dialogue in sources.dialogues() for reply in dialogue.replies))
    sentences = [part for reply in known for part in re.split(r"(?<=[.?!]) ", reply)]
    items = enumerate(rng.sample(known, max(2, pairs // 2 // conditions)))
    return [
        Reply(f"d{item}/0", f"m{number}", "zs", ("x",), " ".join(rng.sample(sentences, rng.randint(2, 5))), reference)
        for item, reference in items
        for number in range(conditions)
    ]


class OneByOne:
    """The reference libraries, a function for each metric."""

    @staticmethod
    def cosine() -> Reference:
        import torch

        folder = encoders.minilm("The cosine")
        model, tokenizer = encoders.load(folder, "cpu")

        def embed(text: str) -> Any:
            inputs = tokenizer(text, truncation=True, max_length=cosine.longest(folder), return_tensors="pt")
            with torch.no_grad():
                states = model(**inputs).last_hidden_state[0]  # one text: nothing is padded
            return torch.nn.functional.normalize(states.mean(0), dim=0)

        return lambda pair: float(embed(pair.text) @ embed(pair.reference))

    @staticmethod
    def bertscore() -> Reference:
        from bert_score import BERTScorer

        found = encoders.for_bertscore(encoders.MINILM)
        with hushed():
            scorer = BERTScorer(str(found.folder), num_layers=found.layer, device="cpu")
        return lambda pair: float(scorer.score([pair.text], [pair.reference])[2][0])

    @staticmethod
    def meteor() -> Reference:
        from nltk.tokenize import NLTKWordTokenizer, PunktSentenceTokenizer
        from nltk.translate.meteor_score import single_meteor_score

        sentences, words, synonyms = PunktSentenceTokenizer(), NLTKWordTokenizer(), nltk_wordnet()

        def cut(text: str) -> list[str]:
            return [word for sentence in sentences.tokenize(text) for word in words.tokenize(sentence)]

        return lambda pair: float(single_meteor_score(cut(pair.reference), cut(pair.text), wordnet=synonyms))

    @staticmethod
    def rouge_l() -> Reference:
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer(["rougeL"])
        return lambda pair: float(scorer.score(pair.reference, pair.text)["rougeL"].fmeasure)


class Forgetful(wordnet.WordNet):
    """Looks every word up anew, as NLTK's reader does."""

    def synsets(self, word: str) -> tuple[wordnet.Synset, ...]:
        self._known.clear()
        return super().synsets(word)


def nltk_wordnet() -> Any:
    from nltk.corpus import wordnet as corpus

    try:
        corpus.ensure_loaded()
    except LookupError:
        return Forgetful.load()
    return corpus


def compare(name: str, replies: Sequence[Reply]) -> dict[str, float]:
    """Both sides are warm: libraries are imported, and files have been read once."""
    theirs: Reference = getattr(OneByOne, name)()
    pairs = [Pair(one.text, one.reference) for one in (*replies, *wrong_reference(replies))]
    ours = Metrics((name,), Settings(bertscore_model=encoders.MINILM))
    ours.score(replies[:2])
    theirs(pairs[0])
    began = time.process_time()
    right, wrong = (next(iter(values.values())) for values in ours.with_floor(replies))
    seconds = time.process_time() - began
    began = time.process_time()
    expected = [theirs(pair) for pair in pairs]
    reference_seconds = time.process_time() - began
    found = [*right, *wrong]
    return {
        "seconds": round(seconds, 2),
        "reference_seconds": round(reference_seconds, 2),
        "ratio": round(reference_seconds / seconds, 2),
        "largest_difference": max(abs(one - other) for one, other in zip(found, expected, strict=True)),
    }


def table(found: dict[str, dict[str, float]]) -> str:
    lines = [f"{'metric':<12}{'ours, s':>9}{'one by one, s':>15}{'ratio':>8}{'largest difference':>20}"]
    for name, one in found.items():
        lines.append(
            f"{name:<12}{one['seconds']:>9.2f}{one['reference_seconds']:>15.2f}"
            f"{one['ratio']:>8.2f}{one['largest_difference']:>20.1e}"
        )
    return "\n".join(lines)


def whole(found: dict[str, dict[str, float]]) -> dict[str, float]:
    seconds, reference = (sum(one[key] for one in found.values()) for key in ("seconds", "reference_seconds"))
    largest = max(one["largest_difference"] for one in found.values())
    return {
        "seconds": seconds,
        "reference_seconds": reference,
        "ratio": reference / seconds,
        "largest_difference": largest,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=320)
    parser.add_argument("--conditions", type=int, default=16, help="replies to each reference")
    parser.add_argument("--only", default=",".join(REFERENCE_BASED), help="metrics, with commas")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    replies = make_replies(given.pairs, given.conditions)
    found = {name: compare(name, replies) for name in given.only.split(",")}
    found["all"] = whole(found)
    print(
        json.dumps(found, indent=2)
        if given.json
        else f"{2 * len(replies)} pairs\n{table(found)}\ngoal: {GOAL:.0f} times"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
