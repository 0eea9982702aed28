"""VQA as a task: from a request to item scores, metrics and notes.

Reading and scoring are apart, so that the same answers can be scored under
several protocols without reading them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np

from vle_bench.errors import UsageProblem
from vle_bench.eval.predictors import load_predictor
from vle_bench.eval.references import part_note, with_part
from vle_bench.eval.requests import ScoringRequest, VqaRequest
from vle_bench.eval.scored import LaterTable, Scored
from vle_bench.eval.vqa.accuracy import ItemScores, Lexicon, lexicon_of, score_items
from vle_bench.eval.vqa.ceilings import ceilings
from vle_bench.eval.vqa.gold import Given
from vle_bench.eval.vqa.items import item_table
from vle_bench.eval.vqa.metrics import accuracy_metrics
from vle_bench.eval.vqa.predictions import prediction_lines, read_predictions
from vle_bench.eval.vqa.predictors import Predicted, Task
from vle_bench.eval.vqa.protocols import PROTOCOLS, SOFT_LABEL, Protocol, leave_one_out, soft_label
from vle_bench.eval.vqa.references import References, read_references
from vle_bench.eval.vqa.vocabulary import Vocabulary, read_vocabulary
from vle_bench.inputs.names import stem_of
from vle_bench.results.signature import interval_part
from vle_bench.results.store import PREDICTIONS

OTHER_ANNOTATORS = "other-annotators"
"""Ends the protocol's name where an annotator is scored on the others: no model is scored so."""
_FULL_CREDIT = 4
_ANNOTATORS = 10


class Run(msgspec.Struct, frozen=True, kw_only=True, eq=False, dict=True):
    """Everything that was read for a request, scored under any protocol."""

    request: VqaRequest
    references: References
    vocabulary: Vocabulary | None
    given: Given
    model: str
    inputs: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @cached_property
    def lexicon(self) -> Lexicon:
        """The texts of both sides; readings are shared by all protocols."""
        return lexicon_of(self.references.gold, self.given.texts)

    def items(self, protocol: Protocol) -> ItemScores:
        """What each question earns under `protocol`."""
        return score_items(self.references.gold, self.given, protocol, lexicon=self.lexicon)


class VqaTask:
    """`vle-eval vqa`."""

    name = "vqa"
    request_type: type[ScoringRequest] = VqaRequest

    def score(self, request: ScoringRequest) -> Scored:
        """Scores the predictions, or the predictor, that `request` names.

        Raises:
            DataProblem: References or predictions are missing, broken or do not match.
            UsageProblem: The request lacks a part that its protocol or predictor needs.
        """
        asked = _asked(request)
        run = read_run(asked)
        return scored_under(run, protocol_of(asked, run.vocabulary))

    def again(self, request: ScoringRequest, folder: str) -> VqaRequest:
        """The request that scores the stored predictions of `folder`.

        The annotator baseline answers anew (the same, by its seed): its answers must be kept
        apart from the ones they are scored on, and a predictions file cannot say whose they are.
        """
        asked = _asked(request)
        if asked.model == "baseline:annotator":
            return asked
        stored = (str(Path(folder) / PREDICTIONS),)
        return msgspec.structs.replace(asked, predictions=stored, model="")


TASK = VqaTask()


def read_run(request: VqaRequest) -> Run:
    """Reads references, vocabulary and predictions (or asks the predictor for them).

    Raises:
        DataProblem: Something is missing, broken or does not match.
        UsageProblem: Nothing to score, or no vocabulary where one is needed.
    """
    if not request.predictions and not request.model:
        raise UsageProblem("Nothing to score. Give --predictions P or --model baseline:NAME.")
    references = read_references(request)
    vocabulary = _vocabulary(request, references)
    inputs = dict(references.inputs)
    if vocabulary is not None:
        inputs["vocabulary"] = vocabulary.sha256
    if request.model:
        predicted = _predicted(request, references, vocabulary)
        return Run(
            request=request,
            references=references,
            vocabulary=vocabulary,
            given=predicted.given,
            model=request.model,
            inputs={**inputs, **predicted.inputs},
            notes=predicted.notes,
        )
    read = read_predictions(request.predictions, references.gold, missing=request.missing)
    return Run(
        request=request,
        references=references,
        vocabulary=vocabulary,
        given=read.given,
        model=stem_of(Path(request.predictions[0])),
        inputs={**inputs, "predictions": read.sha256},
    )


def protocol_of(request: VqaRequest, vocabulary: Vocabulary | None) -> Protocol:
    """The protocol that a request names.

    Raises:
        UsageProblem: `soft-label` without a vocabulary.
    """
    if request.protocol != SOFT_LABEL:
        return PROTOCOLS[request.protocol]
    if vocabulary is None:
        raise UsageProblem("--protocol soft-label scores labels. Give --vocabulary V.")
    return soft_label(vocabulary.answers, request.labels)


def scored_under(run: Run, protocol: Protocol, *, question_types: bool = True) -> Scored:
    """The run's score under one protocol.

    Args:
        run: What was read.
        protocol: The rule.
        question_types: Whether to add one metric a question type.
    """
    request, references = run.request, run.references
    items = run.items(protocol)
    metrics = accuracy_metrics(
        references.gold,
        items,
        resamples=request.resamples,
        seed=request.seed,
        question_types=question_types,
    )
    if request.ceilings:
        answers = run.vocabulary.answers if run.vocabulary else ()
        metrics |= ceilings(references.gold, items, protocol, answers)
    human = run.given.annotators is not None
    name = f"{protocol.name}-{OTHER_ANNOTATORS}" if human else protocol.name
    return Scored(
        task=TASK.name,
        protocol=name,
        model=run.model,
        references=with_part(references.facts, kind="questions", found=len(references.gold)),
        metrics=metrics,
        items=LaterTable(lambda: item_table(references, run.given, items)),
        predictions=lambda: prediction_lines(references.gold, run.given),
        signature=tuple(_signature(run, protocol, items, name)),
        inputs=run.inputs,
        notes=(
            *part_note(facts=references.facts, kind="questions", found=len(references.gold)),
            *references.notes,
            *run.notes,
            *_notes(run, protocol, items),
        ),
    )


def _asked(request: ScoringRequest) -> VqaRequest:
    if not isinstance(request, VqaRequest):
        raise TypeError(f"a {type(request).__name__} is no request of VQA")
    return request


def _vocabulary(request: VqaRequest, references: References) -> Vocabulary | None:
    path = request.vocabulary or references.vocabulary
    return read_vocabulary(Path(path)) if path else None


def _predicted(
    request: VqaRequest, references: References, vocabulary: Vocabulary | None
) -> Predicted:
    predictor = load_predictor(TASK.name, request.model)
    task = Task(
        request=request,
        references=references,
        protocol=protocol_of(request, vocabulary),
        vocabulary=vocabulary,
    )
    predicted: Predicted = predictor(task)
    return predicted


def _signature(
    run: Run, protocol: Protocol, items: ItemScores, name: str
) -> Iterator[tuple[str, str]]:
    request, facts = run.request, run.references.facts
    yield ("data", facts.dataset)
    yield ("split", facts.split)
    yield ("n", str(len(items.rows)))
    yield ("protocol", name)
    if run.given.annotators is None and protocol.credit is leave_one_out:
        yield ("loo", run.references.gold.left_out_by)
    if run.given.annotators is not None:  # the one predictor that no file of predictions replaces
        yield ("annotator", f"s{request.seed}")
    if run.vocabulary is not None and protocol.vocabulary is not None:
        yield ("labels", request.labels)
        yield ("vocabulary", run.vocabulary.name)
        yield ("dropped", str(items.left_out))
    yield ("missing", request.missing)
    yield interval_part("image", request.resamples, request.seed)


def _notes(run: Run, protocol: Protocol, items: ItemScores) -> Iterator[str]:
    gold, missing = run.references.gold, int(run.given.missing.sum())
    if missing:
        yield f"{missing:,} of {len(gold):,} questions have no prediction and score 0."
    if items.left_out:
        yield (
            f"{items.left_out:,} of {len(gold):,} questions have no answer in the vocabulary "
            "and are left out."
        )
    fewer = int(np.count_nonzero(gold.sizes < _ANNOTATORS))
    if fewer:
        yield f"{fewer:,} of {len(gold):,} questions have fewer than ten answers."
    hopeless = int(np.count_nonzero(gold.sizes < _FULL_CREDIT))
    if hopeless and protocol.credit is leave_one_out:
        yield (
            f"{hopeless:,} of these have fewer than four: leave-one-out leaves too few to agree "
            "with, and no prediction can earn 100 % there."
        )
    if gold.left_out_by == "index" and protocol.credit is leave_one_out:
        yield "Answers carry no answer_id of their own: leave-one-out is by index."
