"""Who makes the data: samplers of a causal latent variable model; captions and pictures."""

from lvm.bias import Bias, bias_from_indices, bias_from_numbers, numbers_of, unbiased
from lvm.captions import captions, replace_values
from lvm.cards import Photographs, check_splits, read_cards, split_sessions
from lvm.causal3dident import Renders, read_causal3dident, read_causal3dident_captions
from lvm.causal3dident_scenes import image_columns, scenes_from_columns, text_columns
from lvm.causal3dident_writing import write_causal3dident
from lvm.disk.splits import Splits, file_order_splits
from lvm.disk.texts import StoredCaptions
from lvm.exogenous import EXOGENOUS
from lvm.language import Factor, Language, make_language, sentences, token_ids
from lvm.misalignment import MISALIGNMENTS, WHOLE, Telling
from lvm.mixing import init_mixing, mix, unmix
from lvm.mpi3d import (
    draw_mpi3d_splits,
    mpi3d_factors,
    open_mpi3d,
    read_mpi3d_captions,
    take_images,
)
from lvm.pairs import Pairs, Shift, sample_pairs
from lvm.rendering.pictures import render_batches
from lvm.rendering.render import Quality, render
from lvm.scene_words import SCENE_VARIANTS, SceneWords, make_scene_words, word_values
from lvm.scenes import SHAPES, Scenes, sample_scenes
from lvm.semantics import (
    DEPENDENCES,
    Semantics,
    covariance,
    draw_semantics,
    gaussian_semantics,
    sample_semantics,
    solve_semantics,
)
from lvm.shift import heavy_tails
from lvm.theory import attainable_r2, told_r2
from lvm.ways import take_way
from lvm.world import World, WorldSpec, init_world

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
