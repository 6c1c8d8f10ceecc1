"""Supervised fine-tuning of an adapter: a loop of our own over torch, peft and transformers."""

import os

# Else torch prints native stack traces where a connection breaks, which is said in words. It reads this when loaded.
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")
