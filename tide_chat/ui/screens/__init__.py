"""Full screens and panels, one a module."""
