"""Who measures: arrays in, numbers out."""

from probes.disentanglement import DCI, dci
from probes.downstream import (
    LABEL,
    OUTCOMES,
    DownstreamScores,
    Environments,
    downstream_scores,
    outcomes,
)
from probes.factors import FactorScores, factor_matthews, factor_r2, factor_scores, one_hots
from probes.identifiability import (
    Identifiability,
    Latents,
    LatentScores,
    Split,
    identifiability,
    latent_scores,
)
from probes.independence import Independence, independence, residual_independence, residuals
from probes.information import Information, gaussian_information, infonce, nwj
from probes.metrics import matthews, r2
from probes.neighbours import nearest
from probes.predictors.classification import Classifier, mlp_binary, mlp_classifier
from probes.predictors.kernel_ridge import kernel_ridge
from probes.predictors.logistic import logistic
from probes.predictors.regression import Probe, mlp, ridge
from probes.similarity import linear_cka, mean_corr

PROBES: dict[str, Probe] = {"linear": ridge, "mlp": mlp, "kernel": kernel_ridge}
CLASSIFIERS: dict[str, Classifier] = {"logistic": logistic, "mlp": mlp_classifier}

__all__ = [
    "CLASSIFIERS",
    "DCI",
    "LABEL",
    "OUTCOMES",
    "PROBES",
    "Classifier",
    "DownstreamScores",
    "Environments",
    "FactorScores",
    "Identifiability",
    "Independence",
    "Information",
    "LatentScores",
    "Latents",
    "Probe",
    "Split",
    "dci",
    "downstream_scores",
    "factor_matthews",
    "factor_r2",
    "factor_scores",
    "gaussian_information",
    "identifiability",
    "independence",
    "infonce",
    "kernel_ridge",
    "latent_scores",
    "linear_cka",
    "logistic",
    "matthews",
    "mean_corr",
    "mlp",
    "mlp_binary",
    "mlp_classifier",
    "nearest",
    "nwj",
    "one_hots",
    "outcomes",
    "r2",
    "residual_independence",
    "residuals",
    "ridge",
]
