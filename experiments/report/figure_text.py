"""Figure text: names in figures, in any script that an installed font has.

matplotlib draws each letter in the first font of a list that has it. Its own font, DejaVu Sans, has
Latin, Greek and Cyrillic letters; other scripts need a font of FALLBACKS. A letter that no
installed font has is written as its code, as in `U+5F62`, so that names stay distinct.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import matplotlib as mpl
from matplotlib import font_manager
from rich.cells import cell_len

FALLBACKS = (  # families of fonts with letters of other scripts, on Linux, macOS and Windows
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK KR",
    "Noto Sans JP", "Noto Sans SC", "Noto Sans TC", "Noto Sans KR", "Source Han Sans",
    "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "IPAexGothic", "IPAGothic",
    "NanumGothic", "Hiragino Sans", "Hiragino Sans GB", "PingFang SC", "Apple SD Gothic Neo",
    "Arial Unicode MS", "Yu Gothic", "Microsoft YaHei", "SimHei", "Malgun Gothic", "Meiryo",
    "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Bengali",
    "Noto Sans Tamil", "Noto Sans Thai", "Noto Sans Symbols2", "FreeSans", "Unifont",
)  # fmt: skip
AFTER_COMMA, AFTER_WORD = "(?<=, )", "(?<=[ _])"  # places of `broken_text`
LONGEST = 32  # letters of a label of a setting
SEVERAL = r"\{[^{},]*(,[^{},]*){1,}\}"  # semantics of a bias: two or more
MANY = SEVERAL.replace("1", "8")  # nine or more


def font_families() -> list[str]:
    """Returns the families for text in figures: matplotlib's, then the installed FALLBACKS."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    fallbacks = (name for name in FALLBACKS if name in installed)
    return list(dict.fromkeys([*mpl.rcParams["font.family"], *fallbacks]))


def plain_text(label: str) -> str:
    """Returns a label for matplotlib that is drawn as it is, on as many lines.

    Dollar signs are escaped, which matplotlib would read as formulas. Characters that no font of
    `font_families` has become codes, as in `U+5F62`.
    """
    if not label.isascii():
        known = _letters(tuple(font_families()))
        is_drawn = lambda letter: letter.isascii() or ord(letter) in known
        label = "".join(c if is_drawn(c) else f"U+{ord(c):04X}" for c in label)
    return label.replace("$", r"\$")


def broken_text(text: str, letters: int, places: str) -> str:
    """Returns a text in lines of up to so many letters, broken where a pattern matches."""
    lines = [""]
    for part in re.split(places, text):
        if lines[-1] and cell_len(lines[-1] + part.rstrip()) > letters:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip(" ") for line in lines)


def short_labels(labels: Iterable[str], semantics: int) -> list[str]:
    """Returns labels of settings in which many or long semantics of one bias become a number.

    "select {1, 3, ..., 49}" of 50 semantics becomes "select 25 of 50"; equal ones get numbers.
    """
    count = lambda braces: f"{braces[0].count(',') + 1} of {semantics}"
    pattern = lambda label: SEVERAL if cell_len(label) > LONGEST else MANY
    labels = [re.sub(pattern(label), count, label) for label in labels]
    number = lambda index: f" ({labels[: index + 1].count(labels[index])})"
    return [label + number(index) * (labels.count(label) > 1) for index, label in enumerate(labels)]


@lru_cache(4)
def _letters(families: tuple[str, ...]) -> frozenset[int]:
    """The code points that fonts of these families have, each family in its regular style."""
    find = lambda family: font_manager.findfont(font_manager.FontProperties(family=[family]))
    return frozenset(
        code for path in map(find, families) for code in font_manager.get_font(path).get_charmap()
    )
