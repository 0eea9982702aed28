"""What becomes of captions. One rule each, and all are counted.

| what | rule | counted as |
|---|---|---|
| no text, or only spaces | left out | skipped: caption without text |
| an id that came before | left out | skipped: duplicate id |
| the text stands on this picture already | kept | adjusted: caption repeated within its picture |
| the text stands on another picture of the split too | kept | adjusted: caption that another |
| | | picture has too |
| not one letter of the language's script | kept | adjusted: caption without a letter of the |
| | | expected script |
| bytes that are no UTF-8 | read as U+FFFD | adjusted: caption with bytes that are no UTF-8 |

Repeated captions are kept because recall is counted over all of them: 25,010 on
COCO's Karpathy test. The counts are over pictures that have a file; texts are
equal when they are so letter by letter, spaces around them apart.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from vle_bench.data_prep.books import EMPTY_CAPTION, Books
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.scripts import HAN, LATIN
from vle_bench.records import Caption

REPEATED_HERE = "caption repeated within its picture"
REPEATED_ELSEWHERE = "caption that another picture has too"
OTHER_SCRIPT = "caption without a letter of the expected script"
BROKEN_TEXT = "caption with bytes that are no UTF-8"

Script = Literal["latin", "han"]

_LETTERS = {"latin": LATIN, "han": HAN}
_DIGEST_BYTES = 8


def keep_caption(caption: Caption, image: int, books: Books, captions: Joined[Caption]) -> None:
    """Adds a caption to its picture, or names it as empty; it was counted as read."""
    if caption.text.strip():
        captions.add(image, caption)
    else:
        books.skip("caption", caption.id, str(image), EMPTY_CAPTION)


def has_letter_of(text: str, script: Script) -> bool:
    """Whether a text has a letter of a script.

    >>> has_letter_of("T恤", "han"), has_letter_of("a dog", "han")
    (True, False)
    """
    return _LETTERS[script].search(text) is not None


class CaptionCensus:
    """Counts what is worth knowing of the captions of one split; mutable.

    It keeps eight bytes a caption: among ten million texts two that differ look
    alike once in 400,000 censuses.

    Args:
        script: What the captions should be written in.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._texts = array("Q")
        self._counts: Counter[str] = Counter()

    def see(self, captions: Iterable[Caption]) -> None:
        """Counts the captions of one picture."""
        texts = [caption.text.strip() for caption in captions]
        distinct = dict.fromkeys(texts)
        self._counts[REPEATED_HERE] += len(texts) - len(distinct)
        self._counts[OTHER_SCRIPT] += sum(not has_letter_of(t, self._script) for t in texts)
        self._texts.extend(map(_digest, distinct))

    def counts(self) -> Counter[str]:
        """The counts that are not zero, by rule."""
        import numpy as np

        texts = np.frombuffer(self._texts, dtype=np.uint64)
        texts.sort()  # in its place: of millions of captions there is no room for copies
        again = texts[1:] == texts[:-1]
        several = np.zeros(len(texts), dtype=np.bool_)
        several[1:] = again
        several[:-1] |= again
        shared = Counter({REPEATED_ELSEWHERE: int(several.sum())})
        return +(self._counts + shared)


def _digest(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest(), "big")
