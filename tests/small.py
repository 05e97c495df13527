"""A small config for tests: all parts of a run, a few steps long."""

from experiments.configs import default


def get_config():
    """Returns the small config; called by  --config=tests/small.py ."""
    return small_config()


def small_config(**changes):
    """Returns two settings with three semantics; changes are like {"recipe.steps": 4}."""
    config = default.get_config("fast")
    config.world.update(semantics=3, image_only=2, text_only=2, mixing_layers=2)
    recipe = {"widths": (8, 8), "batch": 16, "group": 8, "optimizer": "adam"}
    config.recipe.update(recipe, steps=6, warmup=2, refine=0.0)
    config.evaluation.update(fit=64, test=64, probes=("linear",))
    config.log_every, config.save_every = 2, 4
    config.settings = (
        default.setting("s1"),
        default.setting("s1 s2", "s2", dependence="dependent"),
    )
    config.update_from_flattened_dict(changes)
    return config
