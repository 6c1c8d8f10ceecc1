"""The build's switches for a CPU: what it has is on, AMX never is."""

from collections.abc import Iterable

import cpu
import pytest
from hypothesis import given
from hypothesis import strategies as st

AVX2 = frozenset({"sse4_2", "avx", "avx2", "bmi2", "fma", "f16c"})
AVX512 = AVX2 | {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
NEWEST = AVX512 | {"avx512vbmi", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"}
KNOWN = sorted(NEWEST)


def on(flags: Iterable[str], machine: str = "x86_64") -> set[str]:
    return {name for name, value in cpu.switches(machine, frozenset(flags)).items() if value == "ON"}


def test_an_old_cpu_gets_no_avx() -> None:
    assert on({"sse4_2"}) == {"GGML_SSE42"}
    assert on(()) == set()


def test_an_ordinary_cpu() -> None:
    assert on(AVX2) == {"GGML_SSE42", "GGML_AVX", "GGML_AVX2", "GGML_BMI2", "GGML_FMA", "GGML_F16C"}


def test_the_newest_cpu_gets_all_but_amx() -> None:
    assert on(NEWEST) == {f"GGML_{name}" for name in cpu.X86}


@pytest.mark.parametrize("lacking", ["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"])
def test_avx512_needs_all_of_its_parts(lacking: str) -> None:
    assert not {name for name in on(NEWEST - {lacking}) if "AVX512" in name}


@given(st.sets(st.sampled_from(KNOWN)))
def test_nothing_is_on_that_the_cpu_lacks_and_amx_never(flags: set[str]) -> None:
    switches = cpu.switches("x86_64", frozenset(flags))
    for name, needed in cpu.X86.items():
        if switches[f"GGML_{name}"] == "ON":
            assert needed <= flags
    assert {switches[f"GGML_{name}"] for name in cpu.NEVER} == {"OFF"}


def test_flags_are_those_of_all_cores() -> None:
    info = "processor: 0\nflags\t\t: fma avx2 avx512f\n\nprocessor: 1\nflags\t\t: fma avx2\n"
    assert cpu.linux_flags(info) == {"fma", "avx2"}
    assert cpu.linux_flags("processor: 0\n") == frozenset()


def test_macos_names() -> None:
    said = "FPU SSE4.2 AVX1.0 FMA F16C\nAVX2 BMI2\n"
    assert on(cpu.macos_flags(said)) == on(AVX2)


@pytest.mark.parametrize(
    ("flags", "architecture"),
    [
        ((), "armv8-a"),
        (("asimddp",), "armv8.2-a+dotprod"),
        (("asimddp", "asimdhp"), "armv8.2-a+dotprod+fp16"),
        (("asimddp", "asimdhp", "i8mm"), "armv8.2-a+dotprod+fp16+i8mm"),
    ],
)
def test_linux_on_arm(flags: tuple[str, ...], architecture: str) -> None:
    switches = cpu.switches("aarch64", frozenset(flags))
    assert switches["GGML_CPU_ARM_ARCH"] == architecture
    assert switches["GGML_NATIVE"] == "OFF"


def test_apple_chips_use_their_own_detection() -> None:
    assert on((), "arm64") == {"GGML_NATIVE"}


def test_this_machine_has_switches() -> None:
    assert cpu.host_switches()["GGML_AMX_INT8"] == "OFF"
