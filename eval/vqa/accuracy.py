"""Item scores: which annotators gave the same answer, and what that earns.

Pure functions over arrays. A text is read once however often it occurs, and two
texts are the same answer where their readings have the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from vle_bench.eval.distinct import Codes, Numbers
from vle_bench.eval.vqa.gold import Bools, Floats, Given, Gold, Ints
from vle_bench.eval.vqa.protocols import Credit, Hits, Protocol, Reader, leave_one_out, thirds

_NO_READING = -1


class Lexicon:
    """Distinct texts of both sides and what each reader makes of them.

    Equal readings have one number. A text that both sides wrote is read once.

    Args:
        gold: The annotators' texts, all different.
        given: The other side's.

    >>> lexicon = Lexicon(["Yes", "no"], ["yes", "no"])
    >>> lexicon.gold(str.lower).tolist(), lexicon.given(str.lower).tolist()
    ([0, 1], [0, 1])
    """

    def __init__(self, gold: Sequence[str], given: Sequence[str]) -> None:
        known = Numbers(zip(gold, range(len(gold)), strict=True))
        self._inside = len(known)
        self._outside = known.of(given, len(given))
        self._texts = list(known)
        self._numbers = Numbers[str]()
        self._read: dict[Reader, Codes] = {}

    def gold(self, reader: Reader) -> Codes:
        """The number of the reading of each annotators' text."""
        return self._all(reader)[: self._inside]

    def given(self, reader: Reader) -> Codes:
        """The number of the reading of each text of the other side."""
        return self._all(reader)[self._outside]

    def _all(self, reader: Reader) -> Codes:
        known = self._read.get(reader)
        if known is None:
            known = self._numbers.of(map(reader, self._texts), len(self._texts))
            self._read[reader] = known
        return known

    def among(self, texts: Iterable[str]) -> Bools:
        """For every number given out so far, whether it stands for one of `texts`."""
        found = np.zeros(len(self._numbers), dtype=np.bool_)
        found[[self._numbers[text] for text in texts if text in self._numbers]] = True
        return found


def lexicon_of(gold: Gold, texts: Sequence[str]) -> Lexicon:
    """The annotators' texts and `texts`."""
    return Lexicon(gold.texts, texts)


class Readings(NamedTuple):
    """Both sides as a protocol reads them.

    Attributes:
        gold: One number for every annotator's answer.
        unanimous: One entry a question: whether all annotators gave the same answer.
        wanted: One entry an annotator's answer: whether it can earn anything.
        given_unanimous: One number for each text of the other side, read for such a question.
        given_mixed: The same for every other question.
    """

    gold: Codes
    unanimous: Bools
    wanted: Bools
    given_unanimous: Codes
    given_mixed: Codes


def readings(gold: Gold, lexicon: Lexicon, protocol: Protocol) -> Readings:
    """Reads both sides.

    Args:
        gold: The references.
        lexicon: Their texts and the other side's, from `lexicon_of`.
        protocol: How to read.
    """
    alike = lexicon.gold(protocol.gold.unanimous)[gold.codes]
    starts = gold.starts[:-1]
    unanimous = np.logical_and.reduceat(alike == gold.spread(alike[starts]), starts)
    read = lexicon.gold(protocol.gold.mixed)[gold.codes]
    # In place: a third column of two million numbers would be the peak of a score's memory.
    np.copyto(read, alike, where=gold.spread(unanimous))
    del alike
    given_unanimous = lexicon.given(protocol.given.unanimous)
    given_mixed = lexicon.given(protocol.given.mixed)
    if protocol.vocabulary is None:
        wanted = np.ones(len(read), dtype=np.bool_)
    else:
        wanted = lexicon.among(protocol.vocabulary)[read]
    return Readings(read, unanimous, wanted, given_unanimous, given_mixed)


class ItemScores(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What each question earned; one entry a question that counts.

    Attributes:
        rows: Its place in the references.
        scores: From 0 to 1.
        matches: Annotators who gave the answer.
        unanimous: Whether all annotators gave the same answer.
        left_out: Number of questions that do not count, having no answer in the vocabulary.
    """

    rows: Ints
    scores: Floats
    matches: Ints
    unanimous: Bools
    left_out: int


def score_items(
    gold: Gold, given: Given, protocol: Protocol, *, lexicon: Lexicon | None = None
) -> ItemScores:
    """Scores each question under `protocol`; a missing answer earns 0.

    Args:
        gold: What annotators answered.
        given: What is scored, in the order of `gold`. Where it is an annotator's own answer, that
            annotator is left out and the credit is the leave-one-out term of the others.
        protocol: The rule.
        lexicon: The texts of `gold` and `given`, where several protocols share it.
    """
    known = lexicon or lexicon_of(gold, given.texts)
    both = readings(gold, known, protocol)
    hits = hits_of(gold, given, both)
    credit = credit_of(given, protocol)
    rows = np.flatnonzero(np.logical_or.reduceat(both.wanted, gold.starts[:-1]))
    return ItemScores(
        rows=rows,
        scores=credit(hits)[rows],
        matches=hits.counts[rows],
        unanimous=both.unanimous[rows],
        left_out=len(gold) - len(rows),
    )


def hits_of(gold: Gold, given: Given, both: Readings) -> Hits:
    """Which annotators gave the answer; the one whose answer it is never counts."""
    answer = _per_question(both, given)
    flat = (both.gold == gold.spread(answer)) & both.wanted
    if given.annotators is not None:
        flat[gold.starts[:-1] + given.annotators] = False
    return Hits(flat, gold.starts)


def credit_of(given: Given, protocol: Protocol) -> Credit:
    """What matches earn: an annotator's own answer is one term of leave-one-out."""
    if given.annotators is not None and protocol.credit is leave_one_out:
        return thirds
    return protocol.credit


def _per_question(both: Readings, given: Given) -> Codes:
    if not given.texts:
        return np.full(len(given.codes), _NO_READING, dtype=np.int32)
    read = np.where(
        both.unanimous, both.given_unanimous[given.codes], both.given_mixed[given.codes]
    )
    read[given.missing] = _NO_READING
    return read
