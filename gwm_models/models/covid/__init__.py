"""Covid-19: jobs and deaths."""
