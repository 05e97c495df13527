"""Images of a user's own end to end: small made files, a few steps long."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from experiments.configs import dsprites, labelled, mpi3d_shapes, multimodal3dident, shapes3d
from experiments.gallery import draw_gallery
from experiments.report.write_report import write_report
from experiments.sweep.loading import encode, encode_images, encode_texts, load_lane, read_plan
from experiments.sweep.plan import make_plan
from experiments.zero_shot.lane_groups import lane_groups
from mmcl import Modalities
from tests.commands import misalign
from tests.lvm.datasets.labelled.test_image_arrays import write_dsprites
from tests.lvm.datasets.labelled.test_image_folder import write_images
from tests.lvm.datasets.labelled.test_shapes3d import write_shapes3d
from tests.lvm.datasets.test_multimodal3dident import write_multimodal3dident
from tests.runs import run

COUNT = 60
FACTORS = (("shape", ("disc", "ring", "bar")), ("size", ("small", "large")))
PHRASINGS = ("a picture [of one {shape}] [that is {size}]", "[some {size} thing] [like a {shape}]")
SILENT = lambda fraction: None


def made_labels(count=COUNT):
    return np.random.default_rng(0).integers(0, [3, 2], (count, 2))


def write_npz(path, labels=None, **changes):
    """Writes gray images of 16 x 16 whose first two pixels are their labels."""
    labels = made_labels() if labels is None else labels
    images = np.full((len(labels), 16, 16), 9, np.uint8)
    images[:, 0, :2] = labels
    np.savez(path, **{"images": images, "latents_classes": labels, **changes})
    return path


def write_captions(path, texts=None):
    words = [
        f"A {FACTORS[0][1][shape]}, number {row}!" for row, (shape, _) in enumerate(made_labels())
    ]
    path.write_text("\n".join(words if texts is None else texts) + "\n")
    return path


def small(config, side=16):
    """Returns a config with small encoders and few steps."""
    config.world.update(height=side, width=side)
    config.recipe.update(widths=(8, 8), text_widths=(8,), batch=16, group=16, steps=4, warmup=2)
    config.log_every, config.save_every = 2, 4
    config.evaluation.probes = ("linear",)
    return config


def own_config(path, **changes):
    """Returns two settings of captions of the images at a path; changes are like {"seeds": 2}."""
    config = small(labelled.get_config())
    config.world.update(data=str(path), channels=1, factors=FACTORS, phrasings=PHRASINGS)
    config.settings = (
        labelled.setting("shape"),
        labelled.setting("shape size", "size", noise_probability=1.0),
    )
    config.update_from_flattened_dict(changes)
    return config


def free_config(path, captions, **changes):
    """Returns a config of images at a path with captions of a file."""
    config = own_config(path, **{"world.caption_file": str(captions)})
    config.world.update(factors=(FACTORS[0], ("size", 2)), phrasings=(), length=3, vocabulary=5)
    config.settings = (labelled.setting("shape size"),)
    config.update_from_flattened_dict(changes)
    return config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled")
    write_npz(folder / "own.npz")
    write_captions(folder / "captions.txt")
    return folder


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory):
    directory = tmp_path_factory.mktemp("finished_labelled")
    return directory, run(directory, own_config(folder / "own.npz"), report=True)


@pytest.fixture(scope="module")
def finished_free(folder, tmp_path_factory):
    directory = tmp_path_factory.mktemp("finished_free")
    config = free_config(folder / "own.npz", folder / "captions.txt")
    return directory, run(directory, config, report=True)


def first_lane(plan):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), plan.data)


def test_pairs_are_images_with_captions_of_the_bias(folder, key):
    plan = make_plan(own_config(folder / "own.npz"))
    shared = plan.domain.load(SILENT)
    assert (len(shared.train.images), len(shared.test.images)) == (51, 9)
    sample = jax.jit(plan.domain.sample, static_argnums=1)
    for number, lane in enumerate(plan.lanes):
        data = jax.tree.map(lambda leaf, number=number: jnp.asarray(leaf[number]), plan.data)
        pairs = jax.device_get(sample(key, 100, shared=shared, world=(), lane=data))
        np.testing.assert_array_equal(pairs.x[:, 0, :2, 0], pairs.factors)
        sentences = plan.domain.sentences(np.asarray(pairs.t))
        for factors, text in zip(pairs.factors, sentences, strict=True):
            for (name, words), value in zip(FACTORS, factors, strict=True):
                mentioned = [word for word in words if word in text.split()]
                assert len(mentioned) == (name in lane.selected.split())
                if mentioned and name not in lane.perturbable.split():
                    assert mentioned == [words[value]]


def test_results_have_every_factor_with_its_attainable_score(finished):
    directory, text = finished
    results = pd.read_csv(directory / "results.csv")
    assert set(results.target) == {"shape", "size", "phrasing", "columns", "pair", "rep"}
    assert "Matthews correlation by linear" in text
    rows = results[(results.probe == "linear") & (results.modality == "x")]
    attainable = rows.set_index(["setting", "target"]).attainable
    assert attainable["select {shape}", "shape"] > 0.9
    assert attainable["perturb {size}", "size"] < 0.9


@pytest.mark.slow  # so does the page of own images, by default
def test_report_and_gallery_are_drawn(finished, folder, monkeypatch):
    write_report(finished[0], Console(quiet=True))
    paths = draw_gallery(finished[0], Console(quiet=True))
    assert all(path.exists() for path in paths)
    assert (finished[0] / "figures" / "matthews.png").exists()


def test_one_modality_is_encoded_without_the_other(finished, folder):
    lane = load_lane(finished[0], 0)
    domain = read_plan(finished[0]).domain
    images = np.load(folder / "own.npz")["images"][:5, ..., None]
    ids = domain.caption_ids(["a picture of one ring", "some large thing"])
    z_x, z_t = encode_images(lane, images), encode_texts(lane, ids)
    assert z_x.shape == (5, domain.outputs) and z_t.shape == (2, domain.outputs)
    both = encode(lane, Modalities(images, ids))
    np.testing.assert_array_equal(both.x, z_x)
    np.testing.assert_array_equal(both.t, z_t)
    with pytest.raises(ValueError, match=r"observations\.t is float32 .*: allowed is integers"):
        encode_texts(lane, ids.astype(np.float32))
    with pytest.raises(ValueError, match=r"observations\.x is uint8 \[16, 16, 1\]: allowed"):
        encode_images(lane, images[0])


def test_free_captions_are_the_words_of_the_file(folder, capsys, key):
    plan = make_plan(free_config(folder / "own.npz", folder / "captions.txt"))
    shared = plan.domain.load(SILENT)
    printed = capsys.readouterr().out
    assert "are not rewritten: every factor is scored" in printed
    assert "60 captions are cut after 3 words" in printed and "0.0% of their words" in printed
    sample = jax.jit(plan.domain.sample, static_argnums=1)
    pairs = jax.device_get(sample(key, 50, shared=shared, world=(), lane=first_lane(plan)))
    sentences = plan.domain.sentences(np.asarray(pairs.t))
    for factors, text in zip(pairs.factors, sentences, strict=True):
        assert text == f"a {FACTORS[0][1][factors[0]]} number"
    np.testing.assert_array_equal(plan.domain.caption_ids(["a ring", "zebra"])[1], [1, 0, 0])


def test_zero_shot_scores_of_free_captions_are_refused(finished_free):
    with pytest.raises(ValueError, match="has captions of a file: allowed is a run with generated"):
        lane_groups(finished_free[0], 0)


def test_a_run_with_free_captions_scores_every_factor(finished_free):
    directory, _ = finished_free
    results = pd.read_csv(directory / "results.csv")
    assert set(results.target) == {"shape", "size", "columns", "pair", "rep"}
    assert (results[results.probe == "linear"].attainable > 0.9).all()
    assert all(path.exists() for path in draw_gallery(directory, Console(quiet=True)))
    lane, domain = load_lane(directory, 0), read_plan(directory).domain
    assert encode_texts(lane, domain.caption_ids(["a ring"])).shape == (1, domain.outputs)


def test_captions_of_the_test_split_do_not_shape_the_vocabulary(folder, tmp_path):
    config = free_config(folder / "own.npz", folder / "captions.txt", **{"world.vocabulary": 500})
    numbers = [word for word in make_plan(config).domain.read_vocabulary() if word.isdigit()]
    assert len(numbers) == 51


def layouts(folder):
    """Yields the layout, a small file of it, and the fields that differ from its config."""
    yield dsprites.get_config(), write_dsprites(folder / "dsprites.npz"), {"images": None}
    yield shapes3d.get_config(), write_shapes3d(folder / "3dshapes.h5"), {"images": 200}
    yield multimodal3dident.get_config("patches"), write_multimodal3dident(folder / "m3di"), {}
    own = labelled.get_config()
    own.settings = (labelled.setting("shape"),)
    images = write_images(folder / "own", [f"{index}.png" for index in range(9)])
    fields = {"layout": "folder", "resize": True, "test_share": 0.4}
    factors = (("size", ("small", "large")),)
    own.settings = (labelled.setting("size"),)
    yield own, images, fields | {"factors": factors, "phrasings": ("[{size}]",)}


def test_every_layout_makes_a_plan_and_is_read(tmp_path, key):
    for config, path, fields in layouts(tmp_path):
        side = {"dsprites.npz": 8, "3dshapes.h5": 6}.get(path.name, 16)
        small(config, side).world.update(data=str(path), **fields)
        config.recipe.image_encoder = "resnet18"
        plan = make_plan(config)
        shared = plan.domain.load(SILENT)
        sample = jax.jit(plan.domain.sample, static_argnums=1)
        pairs = sample(key, 20, shared=shared, world=(), lane=first_lane(plan))
        assert pairs.x.shape == (20, side, side, config.world.channels)
        empty = plan.domain.empty_shared()
        assert jax.tree.map(lambda leaf: leaf.shape[1:], empty) == jax.tree.map(
            lambda leaf: leaf.shape[1:], shared
        )


def test_configs_of_data_sets_name_their_semantics():
    for module, count in ((dsprites, 3), (shapes3d, 9), (mpi3d_shapes, 9), (multimodal3dident, 1)):
        config = module.get_config()
        config.world.data = "FILE"
        plan = make_plan(config)
        assert len(plan.lanes) == count
        assert json.loads(config.to_json())["world"]["factors"]


def test_a_single_phrasing_is_no_target(folder):
    plan = make_plan(own_config(folder / "own.npz", **{"world.phrasings": PHRASINGS[:1]}))
    assert "phrasing" not in plan.domain.targets.metrics()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"world.layout": "zip"}, "world.layout is 'zip': allowed is one of npz, folder, dsprites"),
        ({"world.channels": 2}, "world.channels is 2: allowed is 1 or 3"),
        (
            {"world.height": 20},
            r"world.height and world.width are \(20, 16\): allowed are multiples",
        ),
        ({"world.factors": ()}, r"world.factors is \(\): allowed are one or more"),
        ({"world.factors": (("shape", 3),)}, r"world.factors\[0\] is .*allowed is \(name, words"),
        ({"world.factors": (("shape", ("a",)),)}, r"world.factors\[0\]: shape has values"),
        ({"world.phrasings": ()}, "world.factors and world.phrasings: phrasings is empty"),
        ({"world.phrasings": ("[{shape}]",)}, r"world.phrasings: .* mentions \['shape'\]"),
        ({"world.phrasings": (3,)}, r"world.phrasings is \(3,\): allowed is a tuple of texts"),
        ({"world.numbers": ("angle",)}, r"world.numbers is \('angle',\): allowed is \(\)"),
        ({"world.length": 0}, "world.length is 0: allowed is 1 or more"),
        ({"world.test_share": 2.0}, "world.test_share is 2.0: allowed is 0 to 1"),
        ({"evaluation.probes": ("logistic",)}, "probes holds 'logistic': allowed is linear, mlp"),
        ({"recipe.image_encoder": "mlp"}, "recipe.image_encoder is 'mlp': allowed is patches"),
    ],
)
def test_bad_fields_are_refused_before_data_are_read(changes, message):
    with pytest.raises(ValueError, match=message):
        make_plan(own_config("nowhere.npz", **changes))


@pytest.mark.parametrize(("selected", "perturbable"), [("shape", ""), ("shape size", "size")])
def test_a_bias_of_free_captions_is_refused(selected, perturbable):
    config = free_config("nowhere.npz", "captions.txt")
    config.settings = (labelled.setting(selected, perturbable),)
    with pytest.raises(ValueError, match=r"settings\[0\] selects .* captions of a file are not"):
        make_plan(config)


def test_a_missing_path_has_the_next_step():
    with pytest.raises(ValueError, match="world.data is missing: give the file or folder"):
        make_plan(dsprites.get_config())


OUTSIDE = made_labels()
OUTSIDE[17, 0] = 3


@pytest.mark.parametrize(
    ("arrays", "changes", "message"),
    [
        (
            {"latents_classes": made_labels(59)},
            {},
            r"shape has 59 rows: allowed is 60, one per image",
        ),
        ({"labels": OUTSIDE}, {}, r"own\.npz: shape is 3 in row 17: allowed is an integer, 0\.\.2"),
        (
            {"latents_classes": made_labels() + 0.5},
            {},
            r"shape is .* in row 0: allowed is an integer",
        ),
        ({"images": np.zeros((60, 16, 16))}, {}, "images is float64: allowed is uint8"),
        (
            {},
            {"world.factors": (*FACTORS, ("hue", ("red", "blue")))},
            r"latents_classes has 2 columns: allowed is 3, one for each of shape, size, hue",
        ),
        (
            {},
            {"world.columns": ("form", "size")},
            "has no column shape: its columns are form, size",
        ),
        ({}, {"world.channels": 3}, r"channels are \(16, 16, 3\): allowed is \(16, 16, 1\)"),
        ({}, {"world.images": 61}, "world.images is 61: allowed is 60 at most"),
        ({"labels": made_labels() * 0}, {}, "split has shape 'disc' only: allowed are two values"),
    ],
)
def test_data_that_do_not_fit_are_refused(tmp_path, arrays, changes, message):
    file = write_npz(tmp_path / "own.npz", **arrays)
    if "world.factors" in changes:
        changes = changes | {"world.phrasings": ("[{shape}] [{size}] [{hue}]",)}
    plan = make_plan(own_config(file, **changes))
    with pytest.raises(ValueError, match=message):
        plan.domain.load(SILENT)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a disc"] * 4 + [""] + ["a disc"] * 55, r"captions\.txt: caption 4 is '': allowed"),
        (["a disc"] * 4 + ["!"] + ["a disc"] * 55, r"captions\.txt: caption 4 is '!': allowed"),
        (["a disc"] * 59, r"captions\.txt has 59 captions: allowed is 60, as in .*own\.npz"),
    ],
)
def test_captions_that_do_not_fit_are_refused(folder, tmp_path, texts, message):
    captions = write_captions(tmp_path / "captions.txt", texts)
    plan = make_plan(free_config(folder / "own.npz", captions))
    with pytest.raises(ValueError, match=message):
        plan.domain.load(SILENT)


def test_masks_of_another_length_are_refused(folder, unchecked_types):
    plan = make_plan(own_config(folder / "own.npz"))
    lane, images = first_lane(plan), plan.domain.load(SILENT).test
    for bias in (
        lane.bias._replace(selected=jnp.ones(3, bool)),
        lane.bias._replace(perturbable=jnp.ones(1, bool)),
    ):
        with pytest.raises(ValueError, match=r"has shape .*: allowed is \(2,\), one per factor"):
            plan.domain.caption(jax.random.key(0), lane._replace(bias=bias), images)


CONFIG_FILE = """
from experiments.configs import labelled

def get_config():
    config = labelled.get_config()
    factors = (("shape", ("disc", "ring", "bar")), ("size", ("small", "large")))
    config.world.update(data="own.npz", height=16, width=16, channels=1, factors=factors)
    config.world.phrasings = ("[{shape}] [{size}]",)
    config.settings = (labelled.setting("shape"),)
    return config
"""


def test_the_command_line_refuses_bad_data_in_one_line_and_writes_nothing(folder, tmp_path):
    write_npz(tmp_path / "own.npz", labels=OUTSIDE)
    (tmp_path / "own.py").write_text(CONFIG_FILE)
    status, _, error = misalign("run", "--config=own.py", cwd=tmp_path)
    assert status == 1
    assert error.splitlines()[-1].startswith("error: own.npz: shape is 3 in row 17")
    assert "Traceback" not in error
    assert not (tmp_path / "runs").exists()
