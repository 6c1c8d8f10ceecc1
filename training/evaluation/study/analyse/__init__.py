"""Ratings of a study as tables, figures and tests: the paper's (sections 5, 6, appendices B to D) and what it lacks."""
