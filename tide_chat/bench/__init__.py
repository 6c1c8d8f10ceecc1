"""Measures what the app promises: always as a ratio against a reference in the same run, never as a bare time."""
