import numpy as np
import pytest

from experiments.audit.__main__ import SHIPPED_CONCEPTS
from experiments.audit.inputs.concept_tables import read_concepts
from experiments.studies.stamps.picture_colours import (
    COLOURS,
    colour_fractions,
    dominant_colours,
    pixel_colours,
)

BASIC = {
    "red": (220, 20, 30), "orange": (255, 140, 0), "yellow": (250, 230, 30),
    "green": (30, 140, 40), "blue": (30, 60, 200), "purple": (120, 20, 230),
    "pink": (255, 150, 180), "brown": (120, 70, 30), "black": (10, 10, 10),
    "white": (250, 250, 245), "grey": (128, 128, 128),
}  # fmt: skip


@pytest.mark.parametrize("name", COLOURS)
def test_plain_colours_have_their_names(name):
    assert COLOURS[pixel_colours(np.array(BASIC[name], np.uint8))] == name


def test_the_most_frequent_opaque_colour_is_dominant():
    pictures = np.zeros((2, 2, 2, 4), np.uint8)
    pictures[0, :, :, :3] = BASIC["green"]
    pictures[0, 0] = (*BASIC["red"], 255)
    pictures[0, 1, 0, 3] = 255
    assert dominant_colours(pictures) == ["red", ""]
    fractions = colour_fractions(pictures)
    assert fractions[0, COLOURS.index("red")] == pytest.approx(2 / 3)
    np.testing.assert_allclose(fractions.sum(1), [1, 0])


def test_every_colour_is_a_label_of_the_audit():
    concepts = read_concepts(SHIPPED_CONCEPTS)
    labels = concepts.labels[concepts.groups.index("colour")]
    assert [concepts.values[labels[name]] for name in COLOURS] == list(COLOURS)
