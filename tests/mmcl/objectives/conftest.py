import jax
import pytest

from mmcl.modalities import Modalities
from tests.mmcl.objectives.compiled import D, N


@pytest.fixture
def z(key):
    """Pairs whose text is the image and noise."""
    x, t = jax.random.normal(key, (2, N, D))
    return Modalities(x, 0.8 * x + 0.3 * t)
