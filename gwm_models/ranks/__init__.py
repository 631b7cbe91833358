"""Ranks with honest uncertainty."""
