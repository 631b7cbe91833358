"""The explorer: a page on loopback to look at areas and try scenarios."""
