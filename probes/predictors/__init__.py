"""Predictors: the regressors and classifiers that are fitted as probes."""
