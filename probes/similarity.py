"""Similarity: how alike a representation and the latents are, without fitting a probe.

Block identification allows any invertible function, so theory sets no value for these: they tell
how near the function comes to a permutation or a rotation.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float
from optax.assignment import hungarian_algorithm

from probes.predictors.regression import standardize


@jax.default_matmul_precision("float32")
def mean_corr(
    features: Float[Array, "n d"], latents: Float[Array, "n k"], where: Bool[Array, " k"]
) -> Float[Array, ""]:
    """Mean |correlation| of each masked latent with the feature matched to it: float32 [].

    The matching is one to one and the best there is. 1 says that every latent is, up to scale, a
    feature of its own; independent features score near 0, but above it since the best are chosen.
    """
    a = standardize(features, features)[0]
    b = standardize(latents, latents)[0] * where[None]
    corr = jnp.abs(a.T @ b) / len(features)
    rows, columns = hungarian_algorithm(-corr)
    return corr[rows, columns].sum() / jnp.maximum(where.sum(), 1)


@jax.default_matmul_precision("float32")
def linear_cka(
    features: Float[Array, "n d"], latents: Float[Array, "n k"], where: Bool[Array, " k"]
) -> Float[Array, ""]:
    """Linear centred kernel alignment of features and masked latents: float32 [], 0 to 1.

    ‖AᵀB‖² / (‖AᵀA‖ ‖BᵀB‖) of centred rows; 1 says that they are equal up to rotation and scale.
    """
    a = features - features.mean(0)[None]
    b = (latents - latents.mean(0)[None]) * where[None]
    norm = lambda rows, others: jnp.sqrt(jnp.sum((rows.T @ others / len(rows)) ** 2))
    both = norm(a, a) * norm(b, b)
    return jnp.where(both > 0, norm(a, b) ** 2 / jnp.where(both > 0, both, 1.0), 0.0)
