"""Recipes: the training choices of a config, by name, with all fields."""

import difflib

from ml_collections import ConfigDict


def fast() -> ConfigDict:
    """Returns the recipe for minutes on two cores: whitened observations, small encoders, SOAP."""
    return ConfigDict(
        {
            "image_encoder": "mlp",
            "text_encoder": "mlp",
            "widths": (64, 64, 64),
            "slope": 0.2,
            "whiten": True,
            "batch": 1024,
            "group": 256,
            "steps": 10_000,
            "objective": "alignment_max_entropy",
            "similarity": "negative_squared_distance",
            "negatives": "in_batch",
            "temperature": 1.0,
            "refine": 0.1,  # fraction of the steps, the last ones, with whitened entropy too
            "refine_rate": 0.15,  # fraction of the learning rate when they begin
            "norm_penalty": 0.1,  # of whitened entropy, bounds representations
            "estimate_size": False,  # after half of the steps; the others train anew with that size
            "shared_correlation": 0.95,  # between the modalities, of a column that counts
            "alignment_weight": 1.0,  # both of `alignment_uniformity_on_sphere`
            "uniformity_weight": 1.0,
            "optimizer": "soap",
            "learning_rate": 3e-2,
            "warmup": 100,
            "decay": True,
            "clip_norm": 2.0,
            "weight_decay": 0.0,  # of weights, decoupled; times the learning rate
            "precision": "float32",  # of matrix products inside encoders
            "output_space": "free",  # or the unit "sphere", the unit "cube"
        }
    )


def adaptive() -> ConfigDict:
    """Returns the recipe that estimates the encoding size: `fast`, twice.

    The first 6,000 steps train all columns. The number of columns that both modalities share and
    that are not functions of one another is the encoding size with which the other 6,000 steps
    begin anew (docs/encoding_size.md).
    """
    recipe = fast()
    recipe.update(steps=12_000, estimate_size=True)
    return recipe


def paper() -> ConfigDict:
    """Returns the paper's protocol (section 5.1 and appendix): days on two cores."""
    return ConfigDict(
        {
            "image_encoder": "mlp",
            "text_encoder": "mlp",
            "widths": (150, 750, 750, 750, 750, 150),
            "slope": 0.01,
            "whiten": False,
            "batch": 6144,
            "group": 6144,
            "steps": 100_000,
            "objective": "alignment_max_entropy",
            "similarity": "negative_squared_distance",
            "negatives": "second_batch",
            "temperature": 1.0,
            "refine": 0.0,
            "refine_rate": 0.0,
            "norm_penalty": 0.1,
            "estimate_size": False,
            "shared_correlation": 0.95,
            "alignment_weight": 1.0,
            "uniformity_weight": 1.0,
            "optimizer": "adam",
            "learning_rate": 1e-4,
            "warmup": 0,
            "decay": False,
            "clip_norm": 2.0,
            "weight_decay": 0.0,
            "precision": "float32",
            "output_space": "free",
        }
    )


def patches() -> ConfigDict:
    """Returns the recipe for images and captions on two cores: patch and token encoders."""
    return ConfigDict(
        {
            "image_encoder": "patches",
            "text_encoder": "tokens",
            "normalization": "batch",
            "widths": (64, 128, 256),
            "head_widths": (),
            "text_widths": (128, 128),
            "slope": 0.2,
            "whiten": False,
            "batch": 256,
            "group": 256,
            "steps": 1500,
            "objective": "symmetric_infonce",
            "similarity": "negative_squared_distance",
            "negatives": "in_batch",
            "temperature": 1.0,
            "refine": 0.0,
            "refine_rate": 0.0,
            "norm_penalty": 0.1,
            "estimate_size": False,
            "shared_correlation": 0.95,
            "alignment_weight": 1.0,
            "uniformity_weight": 1.0,
            "optimizer": "adam",
            "learning_rate": 1e-3,
            "warmup": 100,
            "decay": True,
            "clip_norm": 2.0,
            "weight_decay": 0.0,
            "precision": "float32",
            "output_space": "free",
        }
    )


def scenes() -> ConfigDict:
    """Returns the recipe for rendered scenes on two cores: a dense head and whitened entropy.

    A few semantics identify an image within a batch, so InfoNCE saturates before it learns the
    shape, which is the hardest to see. Whitened entropy does not saturate; its norm penalty limits
    the weight of small differences in semantics that are easy to see.
    """
    recipe = patches()
    recipe.update(
        head_widths=(256,),
        steps=5600,
        objective="alignment_max_entropy",
        refine=0.85,
        refine_rate=1.0,
        norm_penalty=0.5,
        optimizer="muon",
        learning_rate=3e-2,
    )
    return recipe


def resnet() -> ConfigDict:
    """Returns the paper's encoders of images and captions (section 5.2), for an accelerator."""
    recipe = patches()
    recipe.update(image_encoder="resnet18", text_encoder="text_cnn", steps=10_000)
    return recipe


RECIPES = {
    "fast": fast,
    "adaptive": adaptive,
    "paper": paper,
    "patches": patches,
    "scenes": scenes,
    "resnet": resnet,
}


def get_recipe(name: str) -> ConfigDict:
    """Returns the recipe `name`; raises ValueError, with the nearest name, for an unknown one."""
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, 1, 0)
        raise ValueError(
            f"recipe is {name!r}: allowed is one of {', '.join(RECIPES)}; nearest is {near[0]!r}"
        )
    return RECIPES[name]()
