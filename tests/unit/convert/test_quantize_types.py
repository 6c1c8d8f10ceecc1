"""The table of types against what the format's own library and the app call them."""

import gguf
import pytest

from convert.quantize import TYPES, type_of
from convert.quantize_types import ALIASES
from tide_chat.errors import UsageError
from tide_chat.registry.gguf_tables import FILE_TYPES


def test_numbers_and_names_are_those_of_the_format() -> None:
    theirs = {int(number): name.removeprefix("MOSTLY_").removeprefix("ALL_") for name, number in _file_types()}
    for kind in TYPES:
        if kind.number in theirs:
            assert kind.name == theirs[kind.number]
    assert len({kind.number for kind in TYPES} & theirs.keys()) >= 30


def _file_types() -> list[tuple[str, int]]:
    return [(member.name, member.value) for member in gguf.LlamaFileType]


def test_the_app_calls_them_the_same() -> None:
    assert all(kind.name.removesuffix("_MOE") == FILE_TYPES[kind.number] for kind in TYPES)


def test_blocks_are_those_of_the_format() -> None:
    for kind in TYPES:
        base = kind.name.removesuffix("_MOE").removesuffix("_M").removesuffix("_S").removesuffix("_L")
        names = [name for name in (kind.name, base) if name in gguf.GGMLQuantizationType.__members__]
        for name in names[:1]:
            assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]][0] == kind.block, kind.name


@pytest.mark.parametrize(
    ("written", "meant"), [("q4_k_m", "Q4_K_M"), ("Q8_0", "Q8_0"), (" IQ4-xs ", "IQ4_XS"), ("q4_k", "Q4_K_M")]
)
def test_a_type_is_found_in_any_case(written: str, meant: str) -> None:
    assert type_of(written).name == meant


def test_an_unknown_type_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(UsageError, match="'q4km'") as caught:
        type_of("q4km")
    assert "q4_k_m" in caught.value.help
    with pytest.raises(UsageError) as caught:
        type_of("zzz")
    assert all(kind.name.lower() in caught.value.help for kind in TYPES)


def test_no_alias_hides_a_type() -> None:
    names = {kind.name.lower() for kind in TYPES}
    assert not names & ALIASES.keys()
    assert set(ALIASES.values()) <= names


def test_a_line_for_each_type_says_size_and_need() -> None:
    assert str(type_of("iq2_xs")) == "iq2_xs      2.72 bits  for the largest models only (needs an importance matrix)"
    assert type_of("iq2_xs").gains
    assert type_of("q4_k_m").gains
    assert not type_of("q8_0").gains
