"""Tables and editions: read once, checked once, immutable."""
