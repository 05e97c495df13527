"""Translations: what captions of other languages mention, beside English captions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.audit.concepts import Concepts, make_concepts
from experiments.audit.counting import count, mentioned_values
from experiments.audit.inputs.concept_tables import WORD_SEPARATOR
from experiments.audit.inputs.text_rows import read_table
from experiments.audit.rate_tables import UNKNOWN
from experiments.audit.rates import compute_rates, wilson
from lvm.datasets.stamps import ENGLISH

WORDS = Path(__file__).parent / "stamp_words.csv"
ALL = "all"  # concept of a row for a whole group
MENTION_COLUMNS = (
    "language", "group", "concept", "english", "kept", "replaced", "omitted", "omission_rate",
    "omission_low", "omission_high", "added",
)  # fmt: skip

Captions = Mapping[str, Sequence[str]]


def read_words(path: Path = WORDS) -> dict[str, Concepts]:
    """Returns the concepts of each language of a table (language, group, value, words).

    All languages have the same groups and values, in the same order; a test checks this. The
    shipped table has ten colours and the numbers from two to ten, as words and as digits. It lacks
    `orange`, a fruit in most captions, and `one`, in most of these languages an article.
    """
    _, rows = read_table(path)
    table: dict[str, list[tuple[str, str, list[str]]]] = {}
    for _, (language, group, value, words) in rows:
        table.setdefault(language, []).append((group, value, words.split(WORD_SEPARATOR)))
    return {language: make_concepts(concepts) for language, concepts in table.items()}


def words_for(language: str, words: Mapping[str, Concepts]) -> Concepts | None:
    """Returns the concepts of a language; those of en also for en_GB, None where there are none."""
    return words.get(language, words.get(language.partition("_")[0]))


def language_table(captions: Captions, words: Mapping[str, Concepts]) -> pd.DataFrame:
    """Returns one row per language, those with most captions first.

    coverage: fraction of pictures with a caption.
    as_english: fraction of captions that equal the English one, up to case.
    distinct: number of distinct captions; most_shared: of pictures that have one of them.
    GROUP_rate, _low, _high: fraction of captions that mention a group, with Wilson's interval; NaN
        for a language without words.
    """
    rows = [
        _language_row(language, texts, captions[ENGLISH], words)
        for language, texts in captions.items()
    ]
    return pd.DataFrame(rows).sort_values("captions", ascending=False, kind="stable")


def mention_table(captions: Captions, words: Mapping[str, Concepts]) -> pd.DataFrame:
    """Returns one row per language with words, group and concept, and one per group ("all").

    The unit is a mention: a concept in the English caption of a picture that has a caption in the
    language as well. It is kept if the caption mentions the concept, replaced if it mentions
    another of the group, and else omitted. `added` counts the concepts that the caption alone
    mentions. The interval of the omission rate is Wilson's and takes mentions as independent; the
    rate is NaN without a mention in English.
    """
    rows = [
        row
        for language, texts in captions.items()
        if language != ENGLISH and words_for(language, words)
        for row in _mention_rows(language, texts, captions[ENGLISH], words)
    ]
    return pd.DataFrame(rows, columns=MENTION_COLUMNS)


def _language_row(language: str, texts, english, words) -> dict:
    present = [(text, source) for text, source in zip(texts, english, strict=True) if text]
    present_texts = [text for text, _ in present]
    concepts = words_for(language, words)
    rates = {group: UNKNOWN for group in words[ENGLISH].groups}
    if concepts:
        rates = {
            group.group: group.selection
            for group in compute_rates(concepts, count(concepts, present_texts))
        }
    return {
        "language": language,
        "captions": len(present_texts),
        "coverage": len(present_texts) / len(texts),
        "as_english": np.mean([text.casefold() == source.casefold() for text, source in present]),
        "distinct": len(set(present_texts)),
        "most_shared": max(Counter(present_texts).values()),
        **{
            f"{group}_{name}": number
            for group, rate in rates.items()
            for name, number in zip(("rate", "low", "high"), rate, strict=True)
        },
    }


def _mention_rows(language: str, texts, english, words) -> Iterator[dict]:
    rows = [row for row, text in enumerate(texts) if text]
    concepts = words_for(language, words)
    source = mentioned_values(words[ENGLISH], [english[row] for row in rows])
    target = mentioned_values(concepts, [texts[row] for row in rows])
    any_of_group = np.stack(
        [target[:, concepts.group_of == group].any(1) for group in range(len(concepts.groups))], 1
    )[:, concepts.group_of]
    counts = pd.DataFrame(
        {
            "group": [concepts.groups[group] for group in concepts.group_of],
            "concept": concepts.values,
            "english": source.sum(0),
            "kept": (source & target).sum(0),
            "replaced": (source & ~target & any_of_group).sum(0),
            "omitted": (source & ~any_of_group).sum(0),
            "added": (target & ~source).sum(0),
        }
    )
    totals = counts.drop(columns="concept").groupby("group", sort=False).sum().reset_index()
    for row in pd.concat([totals.assign(concept=ALL), counts]).to_dict("records"):
        rate = wilson(row["omitted"], row["english"]) if row["english"] else UNKNOWN
        names = ("omission_rate", "omission_low", "omission_high")
        yield {"language": language, **row, **dict(zip(names, rate, strict=True))}
