"""METEOR as NLTK computes it (Lavie and Agarwal, 2007), each text cut and each word stemmed and looked up once.

NLTK's formula and alignment are called as they are; only what they ask for again and again is remembered. Its default
parameters are pinned: those of METEOR 1.5 give values that are lower by half.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from tide_chat.progress import Say
from training.evaluation.metrics import wordnet
from training.evaluation.metrics.pairs import Pair, Values

NAME, WITHOUT = "METEOR", "METEOR (no WordNet)"
ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5
_STEP = 500  # pairs between two words about progress


class Meteor:
    def __init__(self, synonyms: bool = True) -> None:
        self.name = NAME if synonyms else WITHOUT
        self._synonyms = synonyms

    @cached_property
    def about(self) -> Mapping[str, str]:
        from importlib.metadata import version

        words = f"WordNet 3.0 ({wordnet.digest()[:12]})" if self._synonyms else "no synonyms"
        told = (
            f"NLTK {version('nltk')}, alpha {ALPHA}, beta {BETA}, gamma {GAMMA}, Porter stemmer, {words}; "
            "tokens: NLTK's Treebank tokenizer on the sentences of its untrained Punkt, lower case, whole text"
        )
        return {self.name: told}

    def measure(self, pairs: Sequence[Pair], say: Say) -> Values:
        tokens, stems = Tokens(), Stems()
        words = {word for pair in pairs for word in tokens[pair.reference]}
        score = Scorer(self._synonyms_among({stems.stem(word) for word in words}), tokens, stems)
        found = []
        for number, pair in enumerate(pairs):
            if number % _STEP == 0:
                say(self.name, number, len(pairs))
            found.append(score(pair))
        return {self.name: found}

    def _synonyms_among(self, words: AbstractSet[str]) -> wordnet.WordNet | wordnet.NoWordNet:
        """words: what NLTK looks for. It is stems, also at the step of synonyms."""
        return wordnet.WordNet.load(words) if self._synonyms else wordnet.NoWordNet()


class Scorer:
    """METEOR of one pair after the other."""

    def __init__(self, synonyms: wordnet.WordNet | wordnet.NoWordNet, tokens: "Tokens", stems: "Stems") -> None:
        self._synonyms, self._tokens, self._stemmer = synonyms, tokens, stems

    def __call__(self, pair: Pair) -> float:
        from nltk.translate.meteor_score import single_meteor_score

        value = single_meteor_score(
            self._tokens[pair.reference],
            self._tokens[pair.text],
            preprocess=str,  # the tokens are in lower case already
            stemmer=self._stemmer,
            wordnet=self._synonyms,
            alpha=ALPHA,
            beta=BETA,
            gamma=GAMMA,
        )
        return float(value)


class Stems:
    """NLTK's Porter stemmer, each word once."""

    def __init__(self) -> None:
        from nltk.stem.porter import PorterStemmer

        self._stemmer, self._known = PorterStemmer(), dict[str, str]()

    def stem(self, word: str) -> str:
        found = self._known.get(word)
        if found is None:
            found = self._known[word] = self._stemmer.stem(word)
        return found


class Tokens(dict[str, list[str]]):
    """Text to its tokens in lower case, each text once.

    As NLTK's `word_tokenize`, with an untrained Punkt: the trained one is a download. It may end a sentence after an
    abbreviation, which then loses its full stop.
    """

    def __init__(self) -> None:
        from nltk.tokenize import NLTKWordTokenizer, PunktSentenceTokenizer

        super().__init__()
        self._sentences, self._words = PunktSentenceTokenizer(), NLTKWordTokenizer()

    def __missing__(self, text: str) -> list[str]:
        sentences = self._sentences.tokenize(text)
        found = [word.lower() for sentence in sentences for word in self._words.tokenize(sentence)]
        self[text] = found
        return found
