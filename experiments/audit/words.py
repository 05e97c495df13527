"""Words: what a text consists of, however it is written."""

import re
from unicodedata import category, normalize

ASCII_WORD = re.compile(r"[a-z0-9]+")
# As of vowels in Hindi.
MARKS = "".join(chr(sign) for sign in range(0x300, 0x1F000) if category(chr(sign)) in ("Mn", "Mc"))
WORD = re.compile(rf"\w[\w{MARKS}]*")
UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200c\u200d\u2060\ufe0e\ufe0f\ufeff"))  # as soft hyphens


def words_of(text: str) -> list[str]:
    """The words of a text, case-folded and in Unicode's normal form NFKC.

    A word is an unbroken run of letters, marks and digits: "T-shirt" is two. Scripts that set no
    spaces must be split into words beforehand.
    """
    if text.isascii():
        return ASCII_WORD.findall(text.lower())
    folded = normalize("NFKC", normalize("NFKC", text.translate(UNSEEN)).casefold())
    return WORD.findall(folded.replace("_", " "))
