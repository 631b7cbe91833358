"""Diseases of despair together."""
