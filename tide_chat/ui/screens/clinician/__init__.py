"""Screens for clinicians who show and examine the app."""
