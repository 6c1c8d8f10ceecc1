"""Preference tuning: pairs of replies, built by rules from the dialogues, and the loss that tells them apart."""

SEED = 42  # of what is drawn when pairs are built
