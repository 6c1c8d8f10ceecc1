"""Supervised fine-tuning of an adapter: a loop of our own over torch, peft and transformers."""
