"""Predictors: regressors and classifiers that probes fit."""
