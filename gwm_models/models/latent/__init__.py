"""True access behind the survey, over time, and what goes with it."""
