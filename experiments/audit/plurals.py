"""Plurals: the plural of an English noun, by rule and from a list of exceptions."""

import re

EXCEPTIONS = {
    "buffalo": "buffaloes", "calf": "calves", "child": "children", "foot": "feet",
    "german": "germans", "goose": "geese", "hero": "heroes", "human": "humans", "knife": "knives",
    "leaf": "leaves", "life": "lives", "loaf": "loaves", "mouse": "mice", "ottoman": "ottomans",
    "ox": "oxen", "person": "people", "potato": "potatoes", "roman": "romans",
    "scarf": "scarves", "shelf": "shelves", "thief": "thieves", "tomato": "tomatoes",
    "tooth": "teeth", "wife": "wives", "wolf": "wolves",
}  # fmt: skip
RULES = (  # endings of singulars, and the endings of plurals that replace them
    (re.compile("(?<=m)an$"), "en"),  # woman, fireman
    (re.compile("(?<=[^aeiou])y$"), "ies"),
    (re.compile("(?<=[sxz])$|(?<=[cs]h)$"), "es"),
    (re.compile("$"), "s"),
)


def plural_of(phrase: str) -> str:
    """Returns a phrase in lower case with its last word in the plural: "police officers".

    Every word is treated as a noun in the singular: those of "glossy" and of "shoes" are words that
    captions do not contain.
    """
    *before, word = phrase.split(" ")
    return " ".join([*before, EXCEPTIONS.get(word) or _by_rule(word)])


def _by_rule(word: str) -> str:
    ending, plural = next(rule for rule in RULES if rule[0].search(word))
    return ending.sub(plural, word)
