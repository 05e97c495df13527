"""Words: splits a text into normalised words."""

import re
from unicodedata import category, normalize

ASCII_WORD = re.compile(r"[a-z0-9]+")
# combining marks are part of a word, such as the vowels of Hindi
MARKS = "".join(chr(sign) for sign in range(0x300, 0x1F000) if category(chr(sign)) in ("Mn", "Mc"))
WORD = re.compile(rf"\w[\w{MARKS}]*")
# soft hyphens, joiners and variation selectors
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200c\u200d\u2060\ufe0e\ufe0f\ufeff"))


def words_of(text: str) -> list[str]:
    """Returns the words of a text, case-folded and in Unicode's normal form NFKC.

    A word is a run of letters, marks and digits: "T-shirt" is two words. Text in a script without
    spaces must be split into words beforehand.
    """
    if text.isascii():
        return ASCII_WORD.findall(text.lower())
    folded = normalize("NFKC", normalize("NFKC", text.translate(INVISIBLE)).casefold())
    return WORD.findall(folded.replace("_", " "))
