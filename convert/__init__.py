"""Conversion: from trained weights to the file the app runs. Meets training in files only."""
