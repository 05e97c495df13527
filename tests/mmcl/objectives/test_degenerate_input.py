"""Every cell of the tables of objectives in docs/degenerate_input.md, by the words of the page."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import pytest

from mmcl.modalities import Modalities
from mmcl.objectives.alignment_entropy import alignment_max_whitened_entropy, whitening_matrix
from mmcl.objectives.masks import fill_masked
from mmcl.objectives.registry import OBJECTIVES
from mmcl.objectives.similarities import SIMILARITIES
from tests.mmcl.objectives.degenerate import ALL, MASKS, NOISE, PAIRS, Z, assert_cell, documented

GROUPS = {  # of objectives that are not among the distances
    "infonce_intra_modal": "cosine",
    "alignment_uniformity_on_sphere": "cosine",
    "barlow_twins": "correlations",
    "whitened_regression": "correlations",
}
LOSSES = documented("Objectives")
OF_SIMILARITIES = documented("Similarities")


def loss(function, z, where, **options):
    return function(z, 1.0, where=where, **options)


def with_second_batch(z, where):
    function = OBJECTIVES["alignment_max_entropy"].function
    return function(z, 1.0, Modalities(z.t, z.x), where)


def whitened_entropy(z, where):
    return alignment_max_whitened_entropy(z, whitening_matrix(fill_masked(z, where)), where)


def in_groups():
    """Yields the group, the name and the function (z, where) -> loss of every objective."""
    yield "distances", "alignment_max_entropy, second batch", with_second_batch
    yield "distances", "alignment_max_whitened_entropy", whitened_entropy
    for name, objective in OBJECTIVES.items():
        function = partial(loss, objective.function)
        yield GROUPS.get(name, "distances"), name, function
        if "similarity" in objective.options:
            for group, of in (("cosine", "cosine"), ("dot product", "dot")):
                yield group, f"{name}, {of}", partial(function, similarity=SIMILARITIES[of])


OF_GROUP = {
    (group, name): jax.jit(jax.value_and_grad(function)) for group, name, function in in_groups()
}


@cache
def healthy(group, name, word):
    """The loss and the gradient without the row that takes no part, if there is one."""
    where = MASKS[word] if word.endswith("takes no part") else ALL
    return OF_GROUP[group, name](Z, where)


def test_the_page_lists_every_case_and_every_group():
    assert set(LOSSES) == set(PAIRS) | set(MASKS)
    groups = {group for group, _ in OF_GROUP}
    assert all(set(cells) == groups for cells in LOSSES.values())
    assert all(set(cells) == set(SIMILARITIES) for cells in OF_SIMILARITIES.values())


@pytest.mark.parametrize("word", LOSSES)
def test_a_line_of_objectives(word):
    z, where = PAIRS.get(word, lambda z: z)(Z), MASKS.get(word, ALL)
    for (group, name), function in OF_GROUP.items():
        expected = healthy(group, name, word)
        assert_cell(LOSSES[word][group], function(z, where), expected, name)


def similarities_and_gradient(similarity, z):
    """Returns the similarities of x and t, and the gradient of a weighted sum of them by x."""

    def weighted_sum(x):
        left, right = similarity(x, z.t)
        similarities = jnp.matmul(left, right.T, precision="float32")
        return jnp.sum((NOISE @ NOISE.T) * similarities), similarities

    (_, similarities), gradient = jax.value_and_grad(weighted_sum, has_aux=True)(z.x)
    return similarities, gradient


@pytest.mark.parametrize("name", SIMILARITIES)
def test_similarities(name):
    both = jax.jit(partial(similarities_and_gradient, SIMILARITIES[name]))
    for word, cells in OF_SIMILARITIES.items():
        assert_cell(cells[name], both(PAIRS[word](Z)), both(Z), word)
