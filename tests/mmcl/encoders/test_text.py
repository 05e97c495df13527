import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmcl.encoders.text import one_hots, text_cnn, tokens

VOCABULARY = 7


def captions(key, count, length):
    return jax.random.randint(key, (count, length), 0, VOCABULARY)


def test_no_word_is_a_zero_vector():
    expected = [[[0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]]]
    np.testing.assert_array_equal(one_hots(jnp.array([[0, 1, 3, 4]]), 4), expected)


def test_tokens_agree_with_numpy(key):
    ids = captions(key, 9, 5)
    encoder = tokens(VOCABULARY, (8, 6), outputs=3, slope=0.1)
    params, stats = jax.jit(encoder.init)(key, ids)
    weights = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)
    embedding = np.concatenate([np.zeros((1, 32)), weights["Dense_0"]["kernel"]])
    hidden = embedding[np.asarray(ids)].reshape(9, -1)
    for layer in (1, 2, 3):
        hidden = hidden @ weights[f"Dense_{layer}"]["kernel"] + weights[f"Dense_{layer}"]["bias"]
        if layer < 3:
            hidden = np.where(hidden > 0, hidden, 0.1 * hidden)
    np.testing.assert_allclose(jax.jit(encoder.apply)(params, stats, ids), hidden, atol=1e-4)
    z, after = jax.jit(encoder.train)(params, stats, ids)
    np.testing.assert_allclose(z, hidden, atol=1e-4)
    assert jax.tree.leaves((stats, after)) == []


@pytest.mark.parametrize(
    ("length", "channels", "flat"),
    [
        (1, [25], 2 * 64 * 25),  # padded to 4
        (4, [25], 2 * 64 * 25),
        (24, [25, 50, 100], 3 * 16 * 100),  # the paper's
        (31, [25, 50, 100], 3 * 16 * 100),
        (64, [25, 50, 100, 200, 200], 2 * 4 * 200),
    ],
)
def test_shapes_of_text_cnn(key, length, channels, flat):
    encoder = text_cnn(VOCABULARY, outputs=3, normalization="batch")
    ids = jax.ShapeDtypeStruct((2, length), jnp.int32)
    params, stats = jax.eval_shape(encoder.init, key, ids)
    layers = [params[name]["kernel"].shape for name in sorted(params) if "Conv" in name]
    assert layers == [(4, 4, *pair) for pair in zip([1, *channels], channels, strict=False)]
    assert params["Dense_0"]["kernel"].shape == (VOCABULARY - 1, 128)
    assert params["Dense_1"]["kernel"].shape == (flat, 3)
    assert jax.eval_shape(encoder.apply, params, stats, ids).shape == (2, 3)


def test_a_short_text_is_padded_with_no_word(key):
    encoder = text_cnn(VOCABULARY, outputs=3, normalization="group")
    ids = captions(key, 5, 2)
    params, stats = jax.jit(encoder.init)(key, ids)
    longer = jnp.concatenate([ids, jnp.zeros((5, 2), jnp.int32)], 1)
    short, long = (jax.jit(encoder.apply)(params, stats, words) for words in (ids, longer))
    np.testing.assert_array_equal(short, long)


def test_batch_normalisation_uses_batch_statistics_in_training_and_running_ones_in_evaluation(key):
    ids = captions(key, 16, 6)
    encoder = text_cnn(VOCABULARY, outputs=3, normalization="batch")
    params, stats = encoder.init(key, ids)
    train, apply = jax.jit(encoder.train), jax.jit(encoder.apply)
    z, updated = train(params, stats, ids)
    halves = [train(params, stats, half)[0] for half in jnp.split(ids, 2)]
    assert not np.allclose(jnp.concatenate(halves), z, atol=0.01)
    pieces = [apply(params, updated, half) for half in jnp.split(ids, 2)]
    np.testing.assert_allclose(jnp.concatenate(pieces), apply(params, updated, ids), atol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_(not np.allclose(a, b)), updated, stats)
    assert not np.allclose(apply(params, updated, ids), z, atol=0.1)
    for _ in range(150):
        _, updated = train(params, updated, ids)
    np.testing.assert_allclose(apply(params, updated, ids), z, atol=1e-3)


def test_group_normalisation_has_no_running_statistics(key):
    ids = captions(key, 6, 6)
    encoder = text_cnn(VOCABULARY, outputs=3, normalization="group")
    params, stats = jax.jit(encoder.init)(key, ids)
    z, after = jax.jit(encoder.train)(params, stats, ids)
    assert jax.tree.leaves((stats, after)) == []
    np.testing.assert_array_equal(z, jax.jit(encoder.apply)(params, stats, ids))


@pytest.mark.parametrize("encoder", [tokens(VOCABULARY, (8,), 3, 0.1), text_cnn(7, 3, "batch")])
def test_vmap_agrees_with_single_encoders(key, encoder):
    keys, ids = jax.random.split(key), captions(key, 8, 6).reshape(2, 4, 6)

    def run(key, ids):
        params, stats = encoder.init(key, ids)
        z, stats = encoder.train(params, stats, ids)
        return z, stats, encoder.apply(params, stats, ids)

    together = jax.jit(jax.vmap(run))(keys, ids)
    alone = jax.jit(run)(keys[1], ids[1])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1], b, atol=1e-4), together, alone)
