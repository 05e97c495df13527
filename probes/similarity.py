"""Similarity of a representation and the latents, without a fitted probe.

Block identification allows any invertible function, so theory implies no value for these scores.
They measure how close that function is to a permutation or a rotation.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float
from optax.assignment import hungarian_algorithm

from probes.arguments import check_floats, check_mask, check_rows
from probes.columns import at_unit_magnitude, centre
from probes.predictors.regression import standardize


@jax.jit
@jax.default_matmul_precision("float32")
def mean_corr(
    features: Float[Array, "n d"], latents: Float[Array, "n k"], where: Bool[Array, " k"]
) -> Float[Array, ""]:
    """Returns the mean |correlation| of latents in `where` with matched features: float32 [].

    The matching is one to one and maximises the score. It is 1 if every latent equals a different
    feature up to shift and scale, and slightly above 0 for independent features. A constant column
    has correlation 0. NaN in a feature or in a latent in `where` gives NaN.
    """
    _check_similarity(features, latents, where)
    a = standardize(features, features)[0]
    b = jnp.where(where[None], standardize(latents, latents)[0], 0.0)
    corr = jnp.abs(a.T @ b) / len(features)
    # the matching of NaN need not end
    rows, columns = hungarian_algorithm(-jnp.nan_to_num(corr))
    score = corr[rows, columns].sum() / jnp.maximum(where.sum(), 1)
    return jnp.where(jnp.isnan(corr).any(), jnp.nan, score)


@jax.jit
@jax.default_matmul_precision("float32")
def linear_cka(
    features: Float[Array, "n d"], latents: Float[Array, "n k"], where: Bool[Array, " k"]
) -> Float[Array, ""]:
    """Returns linear centred kernel alignment of features and latents in `where`: float32 [].

    ‖AᵀB‖² / (‖AᵀA‖ ‖BᵀB‖) of centred rows, from 0 to 1; it is 1 if A and B are equal up to rotation
    and scale, 0 if one of them is constant, NaN if one of them contains NaN.
    """
    _check_similarity(features, latents, where)
    a = at_unit_magnitude(centre(features))
    b = at_unit_magnitude(jnp.where(where[None], centre(latents), 0.0))
    norm = lambda rows, others: jnp.sqrt(jnp.sum((rows.T @ others / len(rows)) ** 2))
    scale = norm(a, a) * norm(b, b)
    return jnp.where(scale == 0, 0.0, norm(a, b) ** 2 / jnp.where(scale == 0, 1.0, scale))


def _check_similarity(features, latents, where):
    check_floats(features=features, latents=latents)
    check_rows(features=features, latents=latents)
    check_mask(latents.shape[1], where=where)
