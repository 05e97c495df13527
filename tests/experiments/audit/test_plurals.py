import pytest

from experiments.audit.plurals import plural_of


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("dog", "dogs"), ("bus", "buses"), ("box", "boxes"), ("beach", "beaches"),
        ("brush", "brushes"), ("puppy", "puppies"), ("trolley", "trolleys"), ("photo", "photos"),
        ("hero", "heroes"), ("woman", "women"), ("policeman", "policemen"), ("human", "humans"),
        ("person", "people"), ("police officer", "police officers"), ("sous chef", "sous chefs"),
        ("calf", "calves"), ("knife", "knives"), ("child", "children"), ("t shirt", "t shirts"),
        ("\u0434\u043e\u043c", "\u0434\u043e\u043cs"),
    ],
)  # fmt: skip
def test_plurals(singular, plural):
    assert plural_of(singular) == plural
