"""Evaluation: what a model says, measured. Reads files that runs leave; never imports the app's screens."""
