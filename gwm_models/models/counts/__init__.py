"""Deaths as counts."""
