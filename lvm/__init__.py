"""Who makes the data: samplers of a causal latent variable model; captions and pictures."""

from lvm.bias import Bias, bias_from_indices, bias_from_numbers, numbers_of, unbiased
from lvm.captions.generation import captions, replace_values
from lvm.captions.language import Factor, Language, make_language, sentences, token_ids
from lvm.captions.scene_words import SCENE_VARIANTS, SceneWords, make_scene_words, word_values
from lvm.datasets.cards import Photographs, check_splits, read_cards, split_sessions
from lvm.datasets.causal3dident.reading import (
    Renders,
    read_causal3dident,
    read_causal3dident_captions,
)
from lvm.datasets.causal3dident.scene_columns import (
    image_columns,
    scenes_from_columns,
    text_columns,
)
from lvm.datasets.causal3dident.writing import write_causal3dident
from lvm.datasets.mpi3d import (
    draw_mpi3d_splits,
    mpi3d_factors,
    open_mpi3d,
    read_mpi3d_captions,
    take_images,
)
from lvm.files.splits import Splits, file_order_splits
from lvm.files.texts import StoredCaptions
from lvm.latents.misalignment import MISALIGNMENTS, WHOLE, Telling
from lvm.latents.mixing import init_mixing, mix, unmix
from lvm.latents.noise_laws import EXOGENOUS
from lvm.latents.pairs import Pairs, Shift, sample_pairs
from lvm.latents.semantics import (
    DEPENDENCES,
    Semantics,
    covariance,
    draw_semantics,
    gaussian_semantics,
    sample_semantics,
    solve_semantics,
)
from lvm.latents.shift import heavy_tails
from lvm.latents.switch import take_way
from lvm.latents.theory import attainable_r2, told_r2
from lvm.latents.world import World, WorldSpec, init_world
from lvm.scenes.rendering.batches import render_batches
from lvm.scenes.rendering.render import Quality, render
from lvm.scenes.sampler import SHAPES, Scenes, sample_scenes

__all__ = [
    "DEPENDENCES",
    "EXOGENOUS",
    "MISALIGNMENTS",
    "SCENE_VARIANTS",
    "SHAPES",
    "WHOLE",
    "Bias",
    "Factor",
    "Language",
    "Pairs",
    "Photographs",
    "Quality",
    "Renders",
    "SceneWords",
    "Scenes",
    "Semantics",
    "Shift",
    "Splits",
    "StoredCaptions",
    "Telling",
    "World",
    "WorldSpec",
    "attainable_r2",
    "bias_from_indices",
    "bias_from_numbers",
    "captions",
    "check_splits",
    "covariance",
    "draw_mpi3d_splits",
    "draw_semantics",
    "file_order_splits",
    "gaussian_semantics",
    "heavy_tails",
    "image_columns",
    "init_mixing",
    "init_world",
    "make_language",
    "make_scene_words",
    "mix",
    "mpi3d_factors",
    "numbers_of",
    "open_mpi3d",
    "read_cards",
    "read_causal3dident",
    "read_causal3dident_captions",
    "read_mpi3d_captions",
    "render",
    "render_batches",
    "replace_values",
    "sample_pairs",
    "sample_scenes",
    "sample_semantics",
    "scenes_from_columns",
    "sentences",
    "solve_semantics",
    "split_sessions",
    "take_images",
    "take_way",
    "text_columns",
    "token_ids",
    "told_r2",
    "unbiased",
    "unmix",
    "word_values",
    "write_causal3dident",
]
