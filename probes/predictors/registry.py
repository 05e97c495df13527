"""Registries of regressors and classifiers, by the names that a config can give them.

An entry is a `Probe` or a `Classifier`.
"""

from probes.predictors.boosted_trees import boosting
from probes.predictors.classification import Classifier, mlp_classifier
from probes.predictors.kernel_ridge import kernel_ridge
from probes.predictors.logistic import logistic
from probes.predictors.regression import Probe, mlp, ridge

PROBES: dict[str, Probe] = {
    "linear": ridge,
    "mlp": mlp,
    "kernel": kernel_ridge,
    "strong": boosting,
}
CLASSIFIERS: dict[str, Classifier] = {"logistic": logistic, "mlp": mlp_classifier}
