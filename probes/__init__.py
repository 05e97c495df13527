"""Who measures: arrays in, numbers out."""

from probes.identifiability import (
    Latents,
    LatentScores,
    Split,
    attainable_scores,
    latent_scores,
    reverse_score,
)
from probes.metrics import r2
from probes.regression import PROBES, mlp, ridge

__all__ = [
    "PROBES",
    "LatentScores",
    "Latents",
    "Split",
    "attainable_scores",
    "latent_scores",
    "mlp",
    "r2",
    "reverse_score",
    "ridge",
]
