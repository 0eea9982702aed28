"""The answers of a prepared split in one file: what a score needs, without 40,000 reads.

It is made from the shards the first time a split is scored and kept beside the data sets, in
`<data>/.vle-eval/`: the prepared folders themselves stay as `vle-prep` wrote them. It holds
columns and no readings, so that no change of a rule can hide in it. Its name carries the digest
of the shards it was made from, and each record was held against the index's CRC-32 before. A CRC-32
of its own stands before everything: a letter that a disk turned would move a score unseen.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np

from vle_bench.atomic import write_bytes
from vle_bench.errors import MachineProblem
from vle_bench.eval.distinct import Codes, Numbers
from vle_bench.eval.vqa.gold import Gold, LeftOutBy

FOLDER = ".vle-eval"
_SCHEMA: Final = "vle-bench/vqa-answers/1"
_DIGEST_LENGTH = 16
_CHECK_LENGTH = 4


class _Column(msgspec.Struct, frozen=True):
    """Texts, each distinct one once, and the place of each row's among them (int32)."""

    names: list[str]
    codes: bytes


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: Literal["vle-bench/vqa-answers/1"] = _SCHEMA
    shards: str
    ids: list[str]
    questions: list[str]
    images: _Column
    answer_types: _Column
    question_types: _Column
    answers: _Column
    sizes: bytes
    left_out_by: LeftOutBy


def index_path(dataset_folder: Path, split: str, shards: str) -> Path:
    """Where the answers of a split lie.

    Args:
        dataset_folder: The prepared dataset.
        split: The split's folder.
        shards: Digest of its shards.
    """
    name = f"{dataset_folder.name}-{split}-{shards[:_DIGEST_LENGTH]}.answers"
    return dataset_folder.parent / FOLDER / name


def load_index(path: Path, place: str, shards: str) -> tuple[Gold, tuple[str, ...]] | None:
    """The references and the questions' texts; None where the file is not there or not sound."""
    try:
        data = memoryview(path.read_bytes())
        if data[:_CHECK_LENGTH] != _check(data[_CHECK_LENGTH:]):
            return None
        stored = msgspec.msgpack.decode(data[_CHECK_LENGTH:], type=_Stored)
        if stored.shards != shards:
            return None
        return _gold(stored, place), tuple(stored.questions)
    except (OSError, ValueError, msgspec.DecodeError):  # absent or damaged: shards are read again
        return None


def store_index(path: Path, gold: Gold, questions: tuple[str, ...], shards: str) -> None:
    """Keeps the columns for the next run; a folder that cannot be written is left as it is."""
    stored = _Stored(
        shards=shards,
        ids=gold.ids,
        questions=list(questions),
        images=_column(gold.images),
        answer_types=_column(gold.answer_types),
        question_types=_column(gold.question_types),
        answers=_Column(gold.texts, gold.codes.astype("<i4").tobytes()),
        sizes=gold.sizes.astype("<i4").tobytes(),
        left_out_by=gold.left_out_by,
    )
    data = msgspec.msgpack.encode(stored)
    try:
        write_bytes(path, _check(data) + data, shared=True)
    except MachineProblem:
        return


def _check(data: bytes | memoryview) -> bytes:
    return zlib.crc32(data).to_bytes(_CHECK_LENGTH, "little")


def _column(texts: list[str]) -> _Column:
    numbers = Numbers[str]()
    codes = numbers.of(texts, len(texts))
    return _Column(list(numbers), codes.astype("<i4").tobytes())


def _codes(column: _Column, count: int) -> Codes:
    codes = np.frombuffer(column.codes, dtype="<i4").astype(np.int32)
    if (
        len(codes) != count
        or not len(codes)
        or not 0 <= codes.min() <= codes.max() < len(column.names)
    ):
        raise ValueError("places outside the names")
    return codes


def _texts(column: _Column, count: int) -> list[str]:
    return list(map(column.names.__getitem__, _codes(column, count).tolist()))


def _gold(stored: _Stored, place: str) -> Gold:
    count = len(stored.ids)
    sizes = np.frombuffer(stored.sizes, dtype="<i4").astype(np.int64)
    if len(sizes) != count or sizes.min(initial=1) < 1 or len(stored.questions) != count:
        raise ValueError("columns of different lengths")
    starts = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(sizes, out=starts[1:])
    return Gold(
        place=place,
        ids=stored.ids,
        images=_texts(stored.images, count),
        answer_types=_texts(stored.answer_types, count),
        question_types=_texts(stored.question_types, count),
        texts=stored.answers.names,
        codes=_codes(stored.answers, int(starts[-1])),
        starts=starts,
        left_out_by=stored.left_out_by,
    )
