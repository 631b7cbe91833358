"""Outcome models."""
