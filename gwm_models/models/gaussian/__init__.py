"""Bayesian Gaussian models of one cross-section, sampled without a Markov chain."""
