"""Who measures: arrays in, numbers out."""

from probes.classification import mlp_classifier
from probes.downstream import (
    LABEL,
    OUTCOMES,
    DownstreamScores,
    Environments,
    downstream_scores,
    outcomes,
)
from probes.identifiability import (
    Identifiability,
    Latents,
    LatentScores,
    Split,
    identifiability,
    latent_scores,
)
from probes.kernel_ridge import kernel_ridge
from probes.metrics import matthews, r2
from probes.regression import Probe, mlp, ridge
from probes.similarity import linear_cka, mean_corr

PROBES: dict[str, Probe] = {"linear": ridge, "mlp": mlp, "kernel": kernel_ridge}

__all__ = [
    "LABEL",
    "OUTCOMES",
    "PROBES",
    "DownstreamScores",
    "Environments",
    "Identifiability",
    "LatentScores",
    "Latents",
    "Probe",
    "Split",
    "downstream_scores",
    "identifiability",
    "kernel_ridge",
    "latent_scores",
    "linear_cka",
    "matthews",
    "mean_corr",
    "mlp",
    "mlp_classifier",
    "outcomes",
    "r2",
    "ridge",
]
