"""Tiny tokenizers, one a family, trained on a few lines: the steps of each are those of the real one. Also the texts
that equal tokenisation is proved with.
"""

import struct
from collections.abc import Iterable

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

Made = tuple[Tokenizer, dict[str, int]]  # and the numbers of its special tokens

# What tokenizers are trained on: enough for merges over letters, digits, spaces and other scripts.
CORPUS = (
    "I could not sleep last night, and the noise of the street would not stop. What helps you when you wake up?",
    "Breathe in for four, hold for four, breathe out for six. You're safe here; it's over now, and they've gone.",
    "def breathe(seconds):\n    for second in range(seconds):\n        print(f'{second:>4}')\n\treturn None\n",
    "In 2024 it was 19:30, 3.14159 or 1,234,567 times; call 112 or 988.   Then  some   spaces.\n\n\nNew lines.",
    "Die Nächte sind lang, aber ich schaffe das. ¿Qué pasa? Être là, ça suffit.",
    "Привет, как дела? 你好，世界。こんにちは。",
    "The thing is that they think this is the other thing, and that the others thought there was nothing there.",
)

# What equal tokenisation is proved with.
NASTY = (
    "",
    " ",
    "Hello world",
    "  two leading, trailing  ",
    "a\tb\t\tc\n\n\nd\r\ne \n f",
    " " * 2 + "x" + " " * 3 + "y" + " " * 7 + "z" + " " * 16 + "end",
    "I'm, you're, HE'LL, they'd've, it’s; don't!",
    "0 12 345 6789 1234567890 3.14159 1,000,000 ½ ² ٣٤٥ १२३",
    "def f(x):\n    return {'a': [1, 2, 3], \"b\": x ** 2}  # comment\n\n\tif x != 0:\n\t\tpass\n",
    "<div class=\"a\">&nbsp;</div>\n```python\nprint('hi')\n```",
    "emoji 😀 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 ❤️ end",
    "Ünïcödé Straße naïve café Ångström",
    "Привет мир Ελληνικά עברית العربية हिन्दी ไทย 한국어 日本語 中文，测试。",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ﬁ ﷺ \u200b\u200d\ufeff\u00a0\u3000",
    "!!! ??? ... --- *** ((())) [[[]]] {{{}}} ~~~ ^^^ \\\\ //",
    "https://example.org/a?b=c&d=e#f user@example.org C:\\Users\\x",
    "CamelCaseWord snake_case_word kebab-case-word SHOUTING",
    "A" * 40 + "á" * 20 + "ab" * 30,
)

_TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _TAIL
LLAMA3_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _TAIL


def _trained(split: pre_tokenizers.PreTokenizer, *, size: int = 400, ignore_merges: bool = False) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS * 4, trainer)
    return tokenizer


def _split(regex: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(regex), "isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
        ]
    )


def _add(tokenizer: Tokenizer, special: list[str], ordinary: tuple[str, ...] = ()) -> dict[str, int]:
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    tokenizer.add_tokens([AddedToken(name, special=False, normalized=False) for name in ordinary])
    return _numbers(tokenizer, (*special, *ordinary))


def _numbers(tokenizer: Tokenizer, names: Iterable[str]) -> dict[str, int]:
    vocabulary = tokenizer.get_vocab()
    return {name: vocabulary[name] for name in names}


def llama3() -> Made:
    tokenizer = _trained(_split(LLAMA3_SPLIT), ignore_merges=True)
    names = "begin_of_text end_of_text reserved_special_token_0 finetune_right_pad_id start_header_id end_header_id"
    special = _add(tokenizer, [f"<|{name}|>" for name in (*names.split(), "eom_id", "eot_id", "python_tag")])
    begin = "<|begin_of_text|>"
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single=f"{begin} $A", pair=f"{begin} $A {begin} $B:1", special_tokens=[(begin, special[begin])]
            ),
        ]
    )
    return tokenizer, special


def qwen2() -> Made:
    tokenizer = _trained(_split(QWEN2_SPLIT))
    tokenizer.normalizer = normalizers.NFC()
    special = _add(
        tokenizer, ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|box_start|>"], ("<tool_call>", "</tool_call>")
    )
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False, add_prefix_space=False, use_regex=False)
    return tokenizer, special


def deepseek() -> Made:
    tokenizer = _trained(_split(QWEN2_SPLIT))
    special = _add(
        tokenizer,
        ["<｜end▁of▁sentence｜>", "<｜begin▁of▁sentence｜>"],
        ("<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"),
    )
    begin = "<｜begin▁of▁sentence｜>"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin} $B:1", special_tokens=[(begin, special[begin])]
    )
    return tokenizer, special


def digits(names: list[str]) -> Made:
    tokenizer = _trained(
        pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    )
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer, _add(tokenizer, names)


def bert() -> Made:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=names, show_progress=False)
    tokenizer.train_from_iterator(CORPUS * 4, trainer)
    special = _numbers(tokenizer, names)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", special["[CLS]"]), ("[SEP]", special["[SEP]"])],
    )
    return tokenizer, special


Piece = tuple[str, float, int]  # text, score, SentencePiece's type: 1 normal, 2 unknown, 3 control, 6 byte


def phi3() -> tuple[Tokenizer, dict[str, int], list[Piece]]:
    """SentencePiece's BPE as the hub keeps it: ids in the order of merging, single characters last, bytes for what is
    unknown.
    """
    pieces = _phi3_pieces()
    vocabulary = {text: number for number, (text, _, _) in enumerate(pieces)}
    merges = [
        (text[:cut], text[cut:])
        for text, _, kind in pieces
        if kind == 1
        for cut in range(1, len(text))
        if text[:cut] in vocabulary and text[cut:] in vocabulary
    ]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in ("<unk>", "<s>")])
    tokenizer.add_tokens([AddedToken("</s>", special=False, normalized=False, rstrip=True)])
    plain = AddedToken("<|endoftext|>", special=True, normalized=False)
    roles = [
        AddedToken(f"<|{name}|>", special=True, normalized=False, rstrip=True)
        for name in ("assistant", "placeholder1", "system", "end", "user")
    ]
    tokenizer.add_special_tokens([plain, *roles])
    names = ["<unk>", "<s>", "</s>", "<|endoftext|>", *(role.content for role in roles)]
    return tokenizer, _numbers(tokenizer, names), pieces


def _phi3_pieces() -> list[Piece]:
    learner = Tokenizer(models.BPE(unk_token="<unk>"))
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    learner.train_from_iterator(CORPUS * 4, trainers.BpeTrainer(vocab_size=360, show_progress=False))
    vocabulary = learner.get_vocab()
    learnt = sorted(vocabulary, key=lambda text: vocabulary[text])
    ordered = [text for text in learnt if len(text) > 1] + [text for text in learnt if len(text) == 1]
    fixed: list[Piece] = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    fixed += [(f"<0x{byte:02X}>", 0.0, 6) for byte in range(256)]
    return fixed + [(text, float(-place), 1) for place, text in enumerate(ordered)]


def sentencepiece(pieces: list[Piece]) -> bytes:
    """The same vocabulary as `tokenizer.model`: a protocol buffer of pieces, trainer and normalizer settings."""

    def block(number: int, data: bytes) -> bytes:
        return _varint(number << 3 | 2) + _varint(len(data)) + data

    def number(field: int, value: int) -> bytes:
        return _varint(field << 3) + _varint(value)

    body = b"".join(
        block(1, block(1, text.encode()) + _varint(2 << 3 | 5) + struct.pack("<f", score) + number(3, kind))
        for text, score, kind in pieces
    )
    trainer = number(3, 2) + number(4, len(pieces)) + number(35, 1)  # BPE, size, bytes for what is unknown
    normalizer = block(1, b"identity") + number(3, 1) + number(4, 0) + number(5, 1)
    return body + block(2, trainer) + block(3, normalizer)


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])
