"""The types that a GGUF can be quantized to, as llama.cpp knows them. Data only."""

from dataclasses import dataclass
from typing import Literal

Importance = Literal["needed", "helps", "unused"]


@dataclass(frozen=True, slots=True)
class Kind:
    """number: `general.file_type`. bits: a weight, for a model shaped as Llama-3.2-3B. block: values that share scales.

    imatrix: what an importance matrix does for it. A row that is no whole number of blocks gets another type.
    """

    name: str
    number: int
    bits: float
    block: int
    imatrix: Importance
    note: str

    @property
    def gains(self) -> bool:
        """Whether an importance matrix makes it better."""
        return self.imatrix != "unused"

    def __str__(self) -> str:
        needs = {"needed": " (needs an importance matrix)", "helps": "", "unused": ""}[self.imatrix]
        return f"{self.name.lower():<10}{self.bits:>6.2f} bits  {self.note}{needs}"


TYPES = (
    Kind("F32", 0, 32.0, 1, "unused", "every value in full"),
    Kind("F16", 1, 16.0, 1, "unused", "as good as the original; the source to quantize from"),
    Kind("BF16", 32, 16.0, 1, "unused", "the range of F32, the size of F16, less precise than F16"),
    Kind("Q8_0", 7, 8.5, 32, "unused", "hardly to be told from F16"),
    Kind("Q6_K", 18, 6.56, 256, "helps", "very close to F16"),
    Kind("Q5_K_M", 17, 5.76, 256, "helps", "close to F16; where memory allows"),
    Kind("Q5_K_S", 16, 5.63, 256, "helps", "a little smaller and less exact than Q5_K_M"),
    Kind("Q5_1", 9, 6.07, 32, "helps", "older form; for rows that 256 does not divide"),
    Kind("Q5_0", 8, 5.63, 32, "helps", "older form; for rows that 256 does not divide"),
    Kind("Q4_K_M", 15, 5.01, 256, "helps", "the usual choice: small and still good"),
    Kind("Q4_K_S", 14, 4.78, 256, "helps", "a little smaller and less exact than Q4_K_M"),
    Kind("IQ4_XS", 30, 4.56, 256, "helps", "smallest of the good ones; slower on processors than Q4_K"),
    Kind("IQ4_NL", 25, 4.78, 32, "helps", "like IQ4_XS, for rows that 256 does not divide"),
    Kind("Q4_1", 3, 5.19, 32, "helps", "older form; Q4_K_M is better at that size"),
    Kind("Q4_0", 2, 4.75, 32, "helps", "older form; fast on ARM"),
    Kind("Q3_K_L", 13, 4.5, 256, "helps", "loses visibly; IQ4_XS is better at that size"),
    Kind("Q3_K_M", 12, 4.18, 256, "helps", "loses visibly"),
    Kind("Q3_K_S", 11, 3.82, 256, "helps", "loses much"),
    Kind("IQ3_M", 27, 3.96, 256, "helps", "loses visibly, less than Q3_K of that size"),
    Kind("IQ3_S", 26, 3.82, 256, "helps", "loses visibly, less than Q3_K_S"),
    Kind("IQ3_XS", 22, 3.66, 256, "needed", "loses much"),
    Kind("IQ3_XXS", 23, 3.46, 256, "needed", "loses much"),
    Kind("Q2_K", 10, 3.38, 256, "helps", "loses very much; for large models only"),
    Kind("Q2_K_S", 21, 3.15, 256, "needed", "loses very much; for large models only"),
    Kind("IQ2_M", 29, 3.04, 256, "needed", "loses very much; for large models only"),
    Kind("IQ2_S", 28, 2.85, 256, "needed", "loses very much; for large models only"),
    Kind("IQ2_XS", 20, 2.72, 256, "needed", "for the largest models only"),
    Kind("IQ2_XXS", 19, 2.51, 256, "needed", "for the largest models only"),
    Kind("IQ1_M", 31, 2.28, 256, "needed", "for the largest models only"),
    Kind("IQ1_S", 24, 2.14, 256, "needed", "for the largest models only"),
    Kind("MXFP4_MOE", 38, 8.5, 32, "unused", "experts in 4 bits, all else Q8_0; for models trained so"),
    Kind("Q2_0", 41, 2.78, 64, "unused", "for models trained so"),
    Kind("TQ2_0", 37, 2.62, 256, "unused", "for models trained with three values a weight"),
    Kind("TQ1_0", 36, 2.29, 256, "unused", "for models trained with three values a weight"),
    Kind("Q1_0", 40, 1.79, 128, "unused", "for models trained with two values a weight"),
)

ALIASES = {"q3_k": "q3_k_m", "q4_k": "q4_k_m", "q5_k": "q5_k_m", "mxfp4": "mxfp4_moe"}
