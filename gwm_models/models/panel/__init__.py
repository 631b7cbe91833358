"""Areas over time: between and within."""
