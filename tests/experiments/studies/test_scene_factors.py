import numpy as np
from PIL import Image

import lvm
from experiments.domains.color_tables import COLOR_TABLES
from experiments.studies.scene_factors import ROWS, row_labels, row_scenes, save_scene_factors
from lvm.captions.scene_words import make_scene_words


def test_every_row_varies_one_latent_and_every_latent_has_a_row():
    assert [row.latent for row in ROWS] == list(lvm.Scenes._fields)
    for row in ROWS:
        for name, values in row_scenes(row)._asdict().items():
            assert len(np.unique(values)) == (len(row.values) if name == row.latent else 1)


def test_labels_are_values_and_words():
    words = make_scene_words(COLOR_TABLES)
    labels = {row.latent: row_labels(words, row, row_scenes(row)) for row in ROWS}
    assert labels["y_pos"] == ["top", "mid", "bottom"]
    assert labels["s_pos"][:2] == ["0.07 northwest", "0.21 northeast"]
    assert labels["color"][3] == "0.50 cyan"
    assert labels["beta"][-1] == "0.93"


def test_the_figure_is_a_color_image(tmp_path):
    save_scene_factors(tmp_path / "new" / "figure.png", resolution=8, samples=1)
    with Image.open(tmp_path / "new" / "figure.png") as figure:
        assert min(figure.size) > 1000
        assert len(figure.convert("RGB").getcolors(2**24)) > 100
