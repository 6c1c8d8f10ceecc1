"""Dialogues to train on: reading, checking, splitting. Nothing here knows a model."""
