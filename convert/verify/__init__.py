"""A GGUF against the HF model that it came from: metadata, bytes, tokens, logits, and a verdict with stated limits."""

from convert.verify.report import Report
from convert.verify.run import compare, verify, verify_all

__all__ = ["Report", "compare", "verify", "verify_all"]
