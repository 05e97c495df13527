"""Similarity of a representation and the latents, without a fitted probe.

Block identification allows any invertible function, so theory implies no value for these scores.
They measure how close that function is to a permutation or a rotation.
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
    """Returns the mean |correlation| of latents in `where` with matched features: float32 [].

    The matching is one to one and maximises the score. It is 1 if every latent equals a different
    feature up to shift and scale, and slightly above 0 for independent features.
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
    """Returns linear centred kernel alignment of features and latents in `where`: float32 [].

    ‖AᵀB‖² / (‖AᵀA‖ ‖BᵀB‖) of centred rows, from 0 to 1; it is 1 if A and B are equal up to rotation
    and scale.
    """
    a = features - features.mean(0)[None]
    b = (latents - latents.mean(0)[None]) * where[None]
    norm = lambda rows, others: jnp.sqrt(jnp.sum((rows.T @ others / len(rows)) ** 2))
    scale = norm(a, a) * norm(b, b)
    return jnp.where(scale > 0, norm(a, b) ** 2 / jnp.where(scale > 0, scale, 1.0), 0.0)
