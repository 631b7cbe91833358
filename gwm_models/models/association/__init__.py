"""Correlations, neighbours, and what is not measured."""
