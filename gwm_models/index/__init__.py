"""Scores of an index, points per unit, sampling error."""
