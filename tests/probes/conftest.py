import pytest

from probes.predictors import boosted_trees


@pytest.fixture(autouse=True, scope="module")
def few_trees():
    """Few boosted trees, as unoptimised programs are slow; yields the number outside the tests."""
    with pytest.MonkeyPatch.context() as patch:
        trees = boosted_trees.TREES
        patch.setattr(boosted_trees, "TREES", 8)
        yield trees
