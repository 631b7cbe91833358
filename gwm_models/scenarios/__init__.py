"""Scenario files and their projection."""
