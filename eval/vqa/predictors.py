"""Answers without a model: what a real one must beat, and what it cannot beat.

`baseline:prior` says the most frequent answer of the question's type, learnt on
train; it never sees a picture. `baseline:annotator` is a human: one annotator's
answer, scored on the other nine. `baseline:oracle` picks the best answer that a
vocabulary holds: the ceiling of every classifier over it.

A predictor is a function of a `Task` to `Predicted`; other distributions add
theirs to the entry-point group `vle_bench.predictors` as `vqa/NAME`.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from vle_bench.answers import normalise_answer
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.eval.distinct import Codes, Groups
from vle_bench.eval.requests import VqaRequest
from vle_bench.eval.vqa.accuracy import lexicon_of, readings
from vle_bench.eval.vqa.annotations import read_annotations
from vle_bench.eval.vqa.gold import Given, Gold, Ints, given_answers
from vle_bench.eval.vqa.protocols import Protocol
from vle_bench.eval.vqa.references import References
from vle_bench.eval.vqa.shards import DEFAULT_DATASET, read_shards
from vle_bench.eval.vqa.vocabulary import Vocabulary

_TRAIN = "train"
_NOTHING = -1
_VAL_NAME, _TRAIN_NAME = "val2014", "train2014"


class Task(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a predictor may look at."""

    request: VqaRequest
    references: References
    protocol: Protocol
    vocabulary: Vocabulary | None


class Predicted(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Answers in the order of the references, files read for them, and what must be said."""

    given: Given
    inputs: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()


def prior(task: Task) -> Predicted:
    """The most frequent answer of each question type, learnt on the train split.

    Train comes from the shards under `--data` where the references do; with `--annotations`, from
    the file beside it that has `train2014` where its own name has `val2014`, else from the shards.
    Answers of all annotators are counted, normalised; ties go to the first in alphabetical order.
    A type that train does not have gets the most frequent answer of all.

    Raises:
        DataProblem: There is no train split to learn from.
    """
    train = _train_references(task.request)
    best, overall = most_frequent(train.gold)
    types = task.references.gold.question_types
    unknown = sum(one not in best for one in types)
    notes = [f"baseline:prior learnt on {len(train.gold):,} questions of {train.facts.path}."]
    if unknown:
        notes.append(
            f"{unknown:,} questions have a type that train does not have; "
            f"they are answered {overall!r}."
        )
    return Predicted(
        given=given_answers([best.get(one, overall) for one in types]),
        inputs={f"train[{role}]": digest for role, digest in train.inputs.items()},
        notes=tuple(notes),
    )


def annotator(task: Task) -> Predicted:
    """One annotator's answer to each question, drawn by the seed and the question's id.

    The draw depends on nothing else, so neither the order nor the number of questions moves it.
    """
    gold = task.references.gold
    draws = [zlib.crc32(f"{task.request.seed}:{one}".encode()) for one in gold.ids]
    chosen = np.array(draws, dtype=np.int64) % gold.sizes
    codes = gold.codes[gold.starts[:-1] + chosen]
    note = (
        "baseline:annotator: each answer is one annotator's, drawn with seed "
        f"{task.request.seed} and scored on the others of its question only."
    )
    given = Given(texts=gold.texts, codes=codes, annotators=chosen)
    return Predicted(given=given, notes=(note,))


def oracle(task: Task) -> Predicted:
    """The vocabulary's best answer to each question under the protocol.

    The answer that most annotators gave wins; ties go to the lower label. A question without any
    answer in the vocabulary gets the answer of the first label, which earns nothing.

    Raises:
        UsageProblem: There is no vocabulary.
    """
    vocabulary = task.vocabulary
    if vocabulary is None:
        raise UsageProblem("baseline:oracle picks from a vocabulary. Give --vocabulary V.")
    labels = best_labels(task.references.gold, vocabulary.answers, task.protocol)
    hopeless = int(np.count_nonzero(labels < 0))
    note = (
        f"baseline:oracle: {hopeless:,} of {len(labels):,} questions have no right answer "
        f"in the vocabulary of {len(vocabulary.answers):,}."
    )
    given = Given(texts=list(vocabulary.answers), codes=np.maximum(labels, 0).astype(np.int32))
    return Predicted(given=given, notes=(note,))


def most_frequent(gold: Gold) -> tuple[dict[str, str], str]:
    """The most frequent normalised answer of each question type, and of all questions."""
    read = Groups.of([normalise_answer(text) for text in gold.texts])
    names = sorted(read.names)
    rank = {name: place for place, name in enumerate(names)}
    ranks = np.array([rank[name] for name in read.names], dtype=np.int64)[read.codes][gold.codes]
    types = Groups.of(gold.question_types)
    best = most_common(gold.spread(types.codes), ranks, size=len(types.names))
    overall = most_common(np.zeros_like(ranks), ranks, size=1)
    per_type = {name: names[best[place]] for place, name in enumerate(types.names)}
    return per_type, names[overall[0]]


def best_labels(gold: Gold, answers: tuple[str, ...], protocol: Protocol) -> Ints:
    """The label with most matches for each question; -1 where none matches anybody."""
    both = readings(gold, lexicon_of(gold, answers), protocol)
    sides = (both.gold, both.given_unanimous, both.given_mixed)
    size = 1 + max(int(side.max()) for side in sides)
    labels = np.where(
        gold.spread(both.unanimous),
        _first_places(both.given_unanimous, size)[both.gold],
        _first_places(both.given_mixed, size)[both.gold],
    )
    questions = gold.spread(np.arange(len(gold)))
    found = labels >= 0
    return most_common(questions[found], labels[found], size=len(gold))


def most_common(groups: Ints | Codes, choices: Ints | Codes, *, size: int) -> Ints:
    """The most frequent choice of each group, the lowest one on a tie; -1 for an empty group.

    >>> most_common(np.array([0, 0, 0, 2]), np.array([5, 3, 3, 1]), size=3).tolist()
    [3, -1, 1]
    """
    winners = np.full(size, _NOTHING, dtype=np.int64)
    if not len(choices):
        return winners
    base = int(choices.max()) + 1
    pairs, counts = np.unique(groups.astype(np.int64) * base + choices, return_counts=True)
    order = np.lexsort((pairs % base, -counts, pairs // base))
    present, first = np.unique(pairs[order] // base, return_index=True)
    winners[present] = pairs[order][first] % base
    return winners


def _first_places(codes: Codes, size: int) -> Ints:
    """For each number below `size` its first place in `codes`; -1 where it does not stand."""
    places = np.full(size, _NOTHING, dtype=np.int64)
    present, first = np.unique(codes, return_index=True)
    places[present] = first
    return places


def _train_references(request: VqaRequest) -> References:
    folder = Path(request.data) / (request.dataset or DEFAULT_DATASET)
    beside = _train_file(request.annotations)
    if beside is not None and beside.is_file():
        asked = msgspec.structs.replace(
            request, annotations=str(beside), questions="", dataset="", split=""
        )
        return read_annotations(asked)
    if (folder / _TRAIN).is_dir():
        return read_shards(request, split=_TRAIN)
    tried = f"{folder / _TRAIN}" if beside is None else f"{beside} and {folder / _TRAIN}"
    raise DataProblem(
        f"baseline:prior learns on the train split; looked for {tried}, found nothing. "
        "Prepare train with vle-prep run vqav2, or name its shards with --data."
    )


def _train_file(annotations: str) -> Path | None:
    path = Path(annotations)
    if not annotations or _VAL_NAME not in path.name:
        return None
    return path.with_name(path.name.replace(_VAL_NAME, _TRAIN_NAME))
