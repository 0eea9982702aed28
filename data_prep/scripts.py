"""In which language a caption is, told by the script it is written in.

No model of languages is needed to tell the Chinese captions of Flickr30k-CN from
the English ones: Han characters are Chinese here, Latin letters English. A
caption in any other script, or in none, is neither.
"""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["zh", "en"]

HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_LETTERS_PER_WORD = 4
"""About so many Latin letters say what one Han character says."""


def language_of(text: str) -> Language | None:
    """`zh` where Han characters carry most of the text, `en` where Latin letters do, else None.

    >>> language_of("A dog on a T恤"), language_of("穿T恤的人"), language_of("123")
    ('en', 'zh', None)
    """
    han, latin = len(HAN.findall(text)), len(LATIN.findall(text))
    letters = sum(map(str.isalpha, text))
    if not letters or 2 * (han + latin) < letters:
        return None
    return "zh" if han * _LETTERS_PER_WORD > latin else "en"
