"""Karpathy's split files: which picture is in which split, and its sentences.

`dataset_coco.json` names captions by COCO's own ids and pictures by `cocoid`;
`dataset_flickr30k.json` numbers its sentences itself and knows its pictures by
file name only. The split of the papers is the one that stands here.
Files: https://cs.stanford.edu/people/karpathy/deepimagesent/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

import msgspec

from vle_bench.data_prep.books import DUPLICATE, NO_NUMBER_ID, Books
from vle_bench.data_prep.caption_rules import keep_caption
from vle_bench.data_prep.id_set import IdSet
from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.sources import Document
from vle_bench.identity import Identity, number_of
from vle_bench.records import Caption

_EXPECTED = "Karpathy's splits: {images: [{filename, split, sentences}]}"
_LAST_NUMBER = re.compile(r"(?:^|_)([0-9]{1,18})$")


class Assigned(NamedTuple):
    """The pictures of a split by ascending id, and those that stand in an earlier split too."""

    images: list[int]
    taken: frozenset[int]


class _Row(msgspec.Struct, frozen=True):
    filename: str
    split: Literal["train", "restval", "val", "test"]
    cocoid: Identity | None = None


class _Sentence(msgspec.Struct, frozen=True, gc=False):
    raw: str
    sentid: Identity


class _RowWithSentences(_Row, frozen=True):
    sentences: list[_Sentence] = []  # msgspec copies the default for each object


def read_assignment(document: Document, split: str, order: Sequence[str], books: Books) -> Assigned:
    """The pictures of a split; repeated ids and those that are no number go to the books.

    Args:
        document: Karpathy's file.
        split: The split.
        order: All splits; a picture that stands in two belongs to the first.
        books: Notes what was read.
    """
    earlier = frozenset(order[: order.index(split)])
    mine: set[int] = set()
    taken: set[int] = set()
    for chunk in document.rows("images", _Row, expected=_EXPECTED):
        for row in chunk:
            image = _image_of(row)
            if row.split != split:
                books.elsewhere["image"] += 1
                if image is not None and row.split in earlier:
                    taken.add(image)
                continue
            books.read["image"] += 1
            if image is None:
                books.skip("image", row.filename, row.filename, NO_NUMBER_ID)
            elif image in mine:
                books.skip("image", str(image), str(image), DUPLICATE)
            else:
                mine.add(image)
    return Assigned(sorted(mine), frozenset(taken & mine))


def read_sentences(document: Document, split: str, books: Books, captions: Joined[Caption]) -> None:
    """Adds the sentences of a split's pictures to `captions`, by the rules for captions."""
    seen = IdSet()
    for pairs in _sentences(document, split, books):
        news = seen.add([sentence.sentid for _, sentence in pairs])
        books.read["caption"] += len(pairs)
        for (row, sentence), new in zip(pairs, news, strict=True):
            identity = str(sentence.sentid)
            image = _image_of(row)
            if image is None:
                books.skip("caption", identity, row.filename, NO_NUMBER_ID)
            elif not new:
                books.skip("caption", identity, str(image), DUPLICATE)
            else:
                keep_caption(Caption(id=identity, text=sentence.raw), image, books, captions)


def _sentences(
    document: Document, split: str, books: Books
) -> Iterator[list[tuple[_Row, _Sentence]]]:
    """The sentences of a split with the rows that they stand in, in chunks."""
    for chunk in document.rows("images", _RowWithSentences, expected=_EXPECTED):
        others = (len(row.sentences) for row in chunk if row.split != split)
        books.elsewhere["caption"] += sum(others)
        yield [(row, sentence) for row in chunk if row.split == split for sentence in row.sentences]


def _image_of(row: _Row) -> int | None:
    """`cocoid` where there is one, else the number at the end of the file's stem."""
    if row.cocoid is not None:
        return number_of(row.cocoid)
    match = _LAST_NUMBER.search(PurePosixPath(row.filename).stem)
    return int(match[1]) if match else None
