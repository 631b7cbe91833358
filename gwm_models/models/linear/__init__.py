"""Linear models of one cross-section."""
