import jax
import jax.numpy as jnp
import numpy as np

from mmcl.optimizers.soap import B1, B2, EPS, REFRESH_EVERY, scale_by_soap


def reference(gradients):
    """Yields updates of one weight in float64 NumPy, by the algorithm of the SOAP paper."""
    rows, columns = gradients[0].shape
    mean, square = np.zeros((rows, columns)), np.zeros((rows, columns))
    left, right = np.zeros((rows, rows)), np.zeros((columns, columns))
    left_basis, right_basis = np.eye(rows), np.eye(columns)
    for step, grad in enumerate(np.asarray(gradients, np.float64)):
        left = B2 * left + (1 - B2) * grad @ grad.T
        right = B2 * right + (1 - B2) * grad.T @ grad
        if step == REFRESH_EVERY:
            left_basis = np.linalg.eigh(left)[1][:, ::-1]
            right_basis = np.linalg.eigh(right)[1][:, ::-1]
        elif step % REFRESH_EVERY == 0 and step > 0:
            left_basis = np.linalg.qr(left @ left_basis)[0]
            right_basis = np.linalg.qr(right @ right_basis)[0]
        mean = B1 * mean + (1 - B1) * grad
        square = B2 * square + (1 - B2) * (left_basis.T @ grad @ right_basis) ** 2
        rotated = left_basis.T @ mean @ right_basis / (1 - B1 ** (step + 1))
        scaled = rotated / (np.sqrt(square / (1 - B2 ** (step + 1))) + EPS)
        yield left_basis @ scaled @ right_basis.T


def test_updates_agree_with_the_algorithm_of_the_paper(key):
    gradients = jax.random.normal(key, (25, 4, 4)) * jnp.array([1.0, 3.0, 0.3, 2.0])[None, None]
    optimizer = scale_by_soap()
    state = optimizer.init(gradients[0])
    for step, expected in enumerate(reference(gradients)):
        update, state = optimizer.update(gradients[step], state, step=step)
        np.testing.assert_allclose(update, expected, atol=5e-3)


def test_vectors_are_updated_by_adam(key):
    gradients = jax.random.normal(key, (5, 3))
    optimizer = scale_by_soap()
    state = optimizer.init(gradients[0])
    mean = square = np.zeros(3)
    for step, grad in enumerate(np.asarray(gradients)):
        update, state = optimizer.update(jnp.asarray(grad), state, step=step)
        mean, square = B1 * mean + (1 - B1) * grad, B2 * square + (1 - B2) * grad**2
        expected = mean / (1 - B1 ** (step + 1)) / np.sqrt(square / (1 - B2 ** (step + 1)))
        np.testing.assert_allclose(update, expected, rtol=1e-4)


def test_zero_columns_stay_zero_and_do_not_change_others(key):
    """A weight with masked output columns is updated like the smaller weight without them."""
    narrow = jax.random.normal(key, (25, 5, 2))
    wide = jnp.pad(narrow, ((0, 0), (0, 0), (0, 3)))
    optimizer = scale_by_soap()
    update = jax.jit(lambda grad, state, step: optimizer.update(grad, state, step=step))
    state_narrow, state_wide = optimizer.init(narrow[0]), optimizer.init(wide[0])
    for step in range(25):
        small, state_narrow = update(narrow[step], state_narrow, step)
        large, state_wide = update(wide[step], state_wide, step)
        np.testing.assert_allclose(large[:, :2], small, atol=1e-3)
        np.testing.assert_allclose(large[:, 2:], 0, atol=1e-5)
