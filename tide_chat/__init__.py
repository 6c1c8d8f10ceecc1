"""tide-chat: an on-device companion for people who live with PTSD. It supplements care and never replaces it."""

__version__ = "0.1.0"
