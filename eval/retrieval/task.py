"""Retrieval as a task: from a request to item scores, metrics and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from vle_bench.console import amount
from vle_bench.errors import UsageProblem
from vle_bench.eval.predictors import load_predictor
from vle_bench.eval.requests import RetrievalRequest, ScoringRequest
from vle_bench.eval.retrieval.extended import Extended, extended_of, read_positives
from vle_bench.eval.retrieval.features import read_features
from vle_bench.eval.retrieval.folds import (
    COCO_1K,
    PICTURES_OF_1K,
    Folds,
    folded_outcomes,
    read_folds,
    refuse_lists_beyond_folds,
)
from vle_bench.eval.retrieval.gold import DIRECTIONS, NONE, Direction, Gold, gold_of
from vle_bench.eval.retrieval.id_files import IdFile, read_ids
from vle_bench.eval.retrieval.lists import list_lines, read_lists
from vle_bench.eval.retrieval.metrics import metrics_of
from vle_bench.eval.retrieval.outcome import Outcome, outcomes_of_scores
from vle_bench.eval.retrieval.references import References, read_references, with_gallery
from vle_bench.eval.retrieval.scores import read_scores
from vle_bench.eval.retrieval.similarity import Flags, Similarity
from vle_bench.eval.scored import LaterTable, ReferenceFacts, Scored
from vle_bench.inputs.names import stem_of
from vle_bench.results.signature import interval_part
from vle_bench.results.store import PREDICTIONS

LISTED = "listed"
"""The protocol of ranked lists: their order is given, and no tie rule is applied."""


class _Predicted(msgspec.Struct, frozen=True):
    """What was to be scored, whatever it came from.

    Attributes:
        outcomes: One for each direction.
        protocol: The tie rule, or `listed`.
        source: `scores`, `features`, `lists` or `predictor`, for the signature.
        name: Default name of the model.
        inputs: Digest of each file read, by role.
        similarity: The scores; None where only their order is known.
    """

    outcomes: tuple[Outcome, ...]
    protocol: str
    source: str
    name: str
    inputs: dict[str, str]
    similarity: Similarity | None = None


class _Extensions(NamedTuple):
    """What extended positives come to, the digests of their files, and what must be known."""

    found: tuple[Extended, ...]
    inputs: dict[str, str]
    notes: tuple[str, ...]


class ScoredRetrieval(Scored, frozen=True, kw_only=True):
    """A scored run and what its metrics were folded from.

    Attributes:
        outcomes: One for each direction that is there.
        gold: The references.
        similarity: The scores; None where only their order is known.
    """

    outcomes: tuple[Outcome, ...]
    gold: Gold
    similarity: Similarity | None


class RetrievalTask:
    """`vle-eval retrieval`."""

    name = "retrieval"
    request_type: type[ScoringRequest] = RetrievalRequest

    def score(self, request: ScoringRequest) -> ScoredRetrieval:
        """Scores what `request` names.

        Raises:
            DataProblem: References or predictions are missing, broken or do not match.
            UsageProblem: The request names nothing to score, or several things.
        """
        asked = _named_folds(_asked(request))
        way = _way(asked)
        references = read_references(asked)
        image_ids = read_ids(asked.image_ids, "image_id") if asked.image_ids else None
        gold = gold_of(references.texts, image_ids.ids if image_ids else ())
        folds = read_folds(asked.folds, gold) if asked.folds else None
        predicted = _predict(asked, way, references, gold, image_ids, folds)
        inputs = {"texts": references.facts.sha256, **predicted.inputs}
        extended = _Extensions((), {}, ())
        if asked.positives:
            extended = _extended(asked, predicted, gold)
            inputs |= extended.inputs
        if image_ids:
            inputs["image_ids"] = image_ids.sha256
        facts = with_gallery(references.facts, gold)
        if folds is not None:
            inputs |= folds.inputs
            facts = _folded(facts, folds)
        return ScoredRetrieval(
            outcomes=predicted.outcomes,
            gold=gold,
            similarity=predicted.similarity,
            task=self.name,
            protocol=predicted.protocol,
            model=predicted.name,
            references=facts,
            metrics=metrics_of(
                predicted.outcomes,
                gold,
                resamples=asked.resamples,
                seed=asked.seed,
                folds=folds,
                extended=extended.found,
            ),
            items=LaterTable(lambda: _item_table(predicted.outcomes, gold)),
            predictions=lambda: list_lines(predicted.outcomes, gold),
            signature=(
                ("data", facts.dataset),
                ("split", facts.split),
                ("n", f"{len(gold.image_ids)}x{len(gold.text_ids)}"),
                *((("folds", folds.name),) if folds is not None else ()),
                *((("positives", _short(inputs)),) if extended.found else ()),
                ("ties", predicted.protocol),
                ("from", predicted.source),
                ("missing", asked.missing),
                interval_part("image", asked.resamples, asked.seed),
            ),
            inputs=inputs,
            notes=(*references.notes, *extended.notes, *_notes(predicted, gold)),
        )

    def again(self, request: ScoringRequest, folder: str) -> RetrievalRequest | None:
        """The request that scores the stored lists; None where lists cannot give the score.

        The lists are stored in the tie rule's own order, so that they have the recalls of the
        scores they came from. Under `expected` a hit is a probability, which no list holds.
        """
        asked = _asked(request)
        if asked.ties == "expected" and not asked.predictions:
            return None
        if asked.positives:  # lists of ten are not as deep
            return None
        return msgspec.structs.replace(
            asked,
            predictions=(str(Path(folder) / PREDICTIONS),),
            model="",
            scores="",
            image_features="",
            text_features="",
            text_ids="",
        )


TASK = RetrievalTask()


def _asked(request: ScoringRequest) -> RetrievalRequest:
    if not isinstance(request, RetrievalRequest):
        raise TypeError(f"a {type(request).__name__} is no request of retrieval")
    return request


def _named_folds(asked: RetrievalRequest) -> RetrievalRequest:
    """Who names COCO 1K wants COCO in folds of a thousand."""
    if asked.dataset != COCO_1K:
        return asked
    folds = asked.folds or str(PICTURES_OF_1K)
    return msgspec.structs.replace(asked, dataset="coco", folds=folds)


def _folded(facts: ReferenceFacts, folds: Folds) -> ReferenceFacts:
    """Folds are another measurement than the whole: COCO 1K where they are that, else a part."""
    coco = facts.dataset in {"coco", "coco-karpathy-5k"} and facts.split == "test"
    if coco and not facts.part and folds.as_coco_1k:
        return msgspec.structs.replace(facts, dataset=COCO_1K)
    return msgspec.structs.replace(facts, part=facts.part or f"the mean over {folds.count} folds")


def _way(asked: RetrievalRequest) -> str:
    """Which of the four ways of giving predictions was taken."""
    ways = {
        "scores": bool(asked.scores),
        "features": bool(asked.image_features or asked.text_features),
        "lists": bool(asked.predictions),
        "predictor": bool(asked.model),
    }
    taken = [name for name, there in ways.items() if there]
    if len(taken) != 1:
        found = f"{' and '.join(taken)} together" if taken else "nothing to score"
        raise UsageProblem(
            f"{found}. Give one of --scores S.npy, --image-features F --text-features F, "
            "--predictions P.jsonl, or --model baseline:NAME."
        )
    if taken == ["features"] and not (asked.image_features and asked.text_features):
        raise UsageProblem("--image-features and --text-features belong together. Give both.")
    if asked.text_ids and taken[0] not in {"scores", "features"}:
        raise UsageProblem("--text-ids names the columns of --scores. It says nothing here.")
    return taken[0]


def _predict(
    asked: RetrievalRequest,
    way: str,
    references: References,
    gold: Gold,
    image_ids: IdFile | None,
    folds: Folds | None,
) -> _Predicted:
    if way == "lists":
        sizes = folds.galleries(gold.captioned) if folds is not None else None
        lists = read_lists(asked.predictions, gold, missing=asked.missing, galleries=sizes)
        if folds is not None:
            refuse_lists_beyond_folds(lists.outcomes, gold, folds)
        name = stem_of(Path(asked.predictions[0]))
        return _Predicted(lists.outcomes, LISTED, way, name, lists.inputs)
    if way == "predictor":
        predictor = load_predictor("retrieval", asked.model)
        similarity: Similarity = predictor(gold, references.texts, seed=asked.seed)
        every = (np.ones(len(gold.image_ids), np.bool_), np.ones(len(gold.text_ids), np.bool_))
        outcomes = _outcomes(similarity, gold, every, asked, folds)
        return _Predicted(outcomes, asked.ties, way, asked.model, {}, similarity)
    text_ids = read_ids(asked.text_ids, "text_id") if asked.text_ids else None
    inputs = {"text_ids": text_ids.sha256} if text_ids else {}
    if way == "scores":
        matrix = read_scores(
            asked.scores, gold, image_ids=image_ids, text_ids=text_ids, missing=asked.missing
        )
        inputs["scores"] = matrix.sha256
        outcomes = _outcomes(matrix.similarity, gold, (matrix.images, matrix.texts), asked, folds)
        return _Predicted(
            outcomes, asked.ties, way, stem_of(Path(asked.scores)), inputs, matrix.similarity
        )
    features = read_features(
        asked.image_features,
        asked.text_features,
        gold,
        image_ids=image_ids,
        text_ids=text_ids,
        missing=asked.missing,
    )
    inputs["image_features"], inputs["text_features"] = features.sha256
    outcomes = _outcomes(features.similarity, gold, (features.images, features.texts), asked, folds)
    return _Predicted(
        outcomes, asked.ties, way, stem_of(Path(asked.image_features)), inputs, features.similarity
    )


def _extended(asked: RetrievalRequest, predicted: _Predicted, gold: Gold) -> _Extensions:
    if predicted.similarity is None or asked.folds or asked.ties == "expected":
        raise UsageProblem(
            "--positives needs an order as deep as the positives are many: give scores or "
            "features, without --folds, and another rule than --ties expected."
        )
    wanted, digests = read_positives(asked.positives, gold, missing=asked.missing)
    similarity, rule = predicted.similarity, asked.ties
    absent = {name: int(one.absent.sum()) for name, one in wanted.items()}
    return _Extensions(
        found=tuple(
            extended_of(similarity, wanted[name], name, rule=rule)
            for name in DIRECTIONS
            if name in wanted
        ),
        inputs=digests,
        notes=tuple(
            f"{name}: {count:,} extended positives are not among the references and count as "
            "never found (--missing zero)."
            for name, count in absent.items()
            if count
        ),
    )


def _outcomes(
    similarity: Similarity,
    gold: Gold,
    there: tuple[Flags, Flags],
    asked: RetrievalRequest,
    folds: Folds | None,
) -> tuple[Outcome, ...]:
    present: dict[Direction, Flags] = {"i2t": there[0][: gold.captioned], "t2i": there[1]}
    if folds is not None:
        return folded_outcomes(similarity, gold, folds, rule=asked.ties, present=present)
    return outcomes_of_scores(similarity, gold, rule=asked.ties, present=present)


def _short(inputs: Mapping[str, str]) -> str:
    """The beginnings of the digests of the positives' files."""
    digests = sorted(digest for role, digest in inputs.items() if role.startswith("positives"))
    return "+".join(digest[:12] for digest in digests)


def _item_table(outcomes: Sequence[Outcome], gold: Gold) -> dict[str, Any]:
    """One row a query, directions one after the other; a rank that no list reaches is null."""
    import pyarrow as pa

    table: dict[str, list[Any]] = {
        name: [] for name in ("id", "image_id", "group", "direction", "prediction", "score", "rank")
    }
    for outcome in outcomes:
        queries, gallery = gold.ids(outcome.direction)
        first = range(gold.captioned) if outcome.direction == "i2t" else gold.first_image.tolist()
        table["id"] += queries
        table["image_id"] += ["" if at == NONE else gold.image_ids[at] for at in first]
        table["group"] += [outcome.direction] * len(queries)
        table["direction"] += [outcome.direction] * len(queries)
        table["prediction"] += [
            gallery[at] if at != NONE and there else ""
            for at, there in zip(outcome.top[:, 0].tolist(), outcome.present.tolist(), strict=True)
        ]
        table["score"] += outcome.hits[1].tolist()
        table["rank"] += outcome.ranks.tolist()
    # NaN becomes null, and the column stays one of numbers where every rank is null.
    return table | {"rank": pa.array(table["rank"], type=pa.float64(), from_pandas=True)}


def _notes(predicted: _Predicted, gold: Gold) -> list[str]:
    notes: list[str] = []
    for outcome in predicted.outcomes:
        total = len(outcome.ranks)
        if outcome.rule_matters is not None:
            notes.append(
                f"{outcome.direction}: the rank of {outcome.rule_matters:,} of {total:,} queries "
                f"depends on the tie rule ({predicted.protocol} here)."
            )
        absent = int((~outcome.present).sum())
        if absent:
            notes.append(
                f"{outcome.direction}: {absent:,} of {total:,} queries have no prediction "
                "and count as misses (--missing zero)."
            )
    if predicted.protocol == LISTED:
        notes.append("Ranked lists hold their own order: no tie rule, and no rank beyond ten.")
    alone = int((gold.first_image == NONE).sum())
    if alone:
        notes.append(f"Texts without a picture, which count as misses of t2i: {alone:,}.")
    bare = len(gold.image_ids) - gold.captioned
    if bare:
        notes.append(f"The gallery holds {amount(bare, 'picture')} more, which no text is about.")
    return notes
