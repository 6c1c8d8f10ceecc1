"""Which instruction sets this CPU has, as the build's switches.

The engine's own detection (GGML_NATIVE) is never used: it turns AMX on, and the AMX code crashes at the first token in
virtual machines that announce AMX without letting programs use it. Knows nothing of how the build is run.
"""

import platform
import subprocess
from pathlib import Path

# Switch -> the CPU flags (as Linux names them) that must all be there. Order is that of the engine's own list.
X86: dict[str, frozenset[str]] = {
    "SSE42": frozenset({"sse4_2"}),
    "AVX": frozenset({"avx"}),
    "AVX2": frozenset({"avx2"}),
    "BMI2": frozenset({"bmi2"}),
    "FMA": frozenset({"fma"}),
    "F16C": frozenset({"f16c"}),
    "AVX_VNNI": frozenset({"avx_vnni"}),
    "AVX512": frozenset({"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}),
    "AVX512_VBMI": frozenset({"avx512vbmi"}),
    "AVX512_VNNI": frozenset({"avx512_vnni"}),
    "AVX512_BF16": frozenset({"avx512_bf16"}),
}
NEEDS_AVX512 = ("AVX512_VBMI", "AVX512_VNNI", "AVX512_BF16")
NEEDS_AVX2 = ("BMI2", "FMA", "F16C", "AVX_VNNI", "AVX512")
NEVER = ("NATIVE", "AMX_TILE", "AMX_INT8", "AMX_BF16")

# macOS names a few flags in its own way.
MACOS_NAMES = {"sse4.2": "sse4_2", "avx1.0": "avx"}


def is_x86(machine: str) -> bool:
    return machine.lower() in {"x86_64", "amd64", "i386", "i686"}


def linux_flags(cpuinfo: str) -> frozenset[str]:
    """The flags every CPU of this machine has: cores of two kinds can differ."""
    lines = [line.partition(":")[2].split() for line in cpuinfo.splitlines() if line.startswith(("flags", "Features"))]
    return frozenset.intersection(*map(frozenset, lines)) if lines else frozenset()


def macos_flags(features: str) -> frozenset[str]:
    return frozenset(MACOS_NAMES.get(name, name) for name in features.lower().split())


def host_flags() -> frozenset[str]:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        return linux_flags(cpuinfo.read_text(encoding="utf-8", errors="replace"))
    names = ("machdep.cpu.features", "machdep.cpu.leaf7_features")
    done = subprocess.run(["sysctl", "-n", *names], capture_output=True, text=True, check=False)
    return macos_flags(done.stdout)


def x86_switches(flags: frozenset[str]) -> dict[str, bool]:
    """A wider set without the narrower one it builds on does not compile, so it is off then."""
    on = {switch: needed <= flags for switch, needed in X86.items()}
    for switch in NEEDS_AVX2:
        on[switch] = on[switch] and on["AVX2"] and on["AVX"]
    for switch in NEEDS_AVX512:
        on[switch] = on[switch] and on["AVX512"]
    return on


def arm_architecture(flags: frozenset[str]) -> str:
    """The -march for Linux on ARM: dot product and 8-bit matrix products are what the quantized kernels gain from."""
    if "asimddp" not in flags:
        return "armv8-a"
    extensions = "+dotprod" + ("+fp16" if "asimdhp" in flags else "") + ("+i8mm" if "i8mm" in flags else "")
    return "armv8.2-a" + extensions


def switches(machine: str, flags: frozenset[str]) -> dict[str, str]:
    """The GGML_* settings for a CPU; what is always off is said, not left to a default."""
    fixed = dict.fromkeys((f"GGML_{name}" for name in NEVER), "OFF")
    if is_x86(machine):
        return fixed | {f"GGML_{name}": "ON" if on else "OFF" for name, on in x86_switches(flags).items()}
    if machine == "aarch64":
        return fixed | {"GGML_CPU_ARM_ARCH": arm_architecture(flags)}
    # Apple's own chips, and rare ones: their native detection is sound, and AMX is an x86 matter.
    return fixed | {"GGML_NATIVE": "ON"}


def host_switches() -> dict[str, str]:
    return switches(platform.machine(), host_flags())
