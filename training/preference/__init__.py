"""Preference tuning: pairs of replies, built by rules from the dialogues, and the loss that tells them apart."""
