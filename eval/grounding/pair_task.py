"""Matches of pictures and texts as a task."""

from __future__ import annotations

from typing import Any

import numpy as np

from vle_bench.errors import UsageProblem
from vle_bench.eval.grounding.pairs import (
    KnownTexts,
    Pairs,
    known_texts,
    metrics_of,
    pair_lines,
    read_pairs,
)
from vle_bench.eval.grounding.shards import read_split
from vle_bench.eval.grounding.task import grounding_request, one_file, stored_request
from vle_bench.eval.references import is_sample
from vle_bench.eval.requests import GroundingRequest, ScoringRequest
from vle_bench.eval.scored import ReferenceFacts, Scored
from vle_bench.inputs import open_source
from vle_bench.inputs.names import stem_of
from vle_bench.results.signature import interval_part

UNNAMED = "unnamed"


class PairTask:
    """`vle-eval grounding` of pairs of pictures and texts."""

    name = "grounding-itm"
    request_type: type[ScoringRequest] = GroundingRequest

    def score(self, request: ScoringRequest) -> Scored:
        """Scores the pairs that `request` names.

        With `--split` what belongs together is asked of the shards, else the file is believed.

        Raises:
            DataProblem: Shards or pairs are missing, broken or do not match.
            UsageProblem: The request names nothing to score.
        """
        asked = grounding_request(request)
        if asked.model:
            raise UsageProblem(f"--model {asked.model}: predicts scores of patches, no matches.")
        path = one_file(asked)
        source = open_source(path, "ITM scores")
        known: KnownTexts | None = None
        notes: tuple[str, ...] = ()
        if asked.split:
            known, facts, notes = read_split(asked, known_texts)
        else:
            facts = ReferenceFacts(
                path=str(path), sha256=source.sha256, dataset=asked.dataset or UNNAMED, split="",
                sample=is_sample(path),
            )  # fmt: skip
            notes = ("What matches is what the file says of itself: no --split was given.",)
        pairs = read_pairs(source, known)
        return Scored(
            task=self.name,
            protocol=f"above-{asked.threshold_text}",
            model=stem_of(path),
            references=facts,
            metrics=metrics_of(
                pairs,
                threshold=asked.threshold,
                resamples=asked.resamples,
                seed=asked.seed,
                stream=self.name,
            ),
            items=_item_table(pairs, asked.threshold),
            predictions=pair_lines(pairs),
            signature=(
                ("data", facts.dataset),
                ("split", facts.split),
                ("n", str(len(pairs.scores))),
                ("matched", str(int(pairs.match.sum()))),
                ("truth", "shards" if known else "file"),
                ("above", asked.threshold_text),
                interval_part("image", asked.resamples, asked.seed),
            ),
            inputs={
                **({"shards": facts.sha256} if known else {}),
                "predictions": source.sha256,
            },
            notes=notes,
        )

    def again(self, request: ScoringRequest, folder: str) -> GroundingRequest:
        """The request that scores the stored pairs of `folder`."""
        return stored_request(request, folder)


TASK = PairTask()


def _item_table(pairs: Pairs, threshold: float) -> dict[str, Any]:
    right = (pairs.scores > threshold) == pairs.match
    return {
        "id": [
            f"{image} {text}" for image, text in zip(pairs.image_ids, pairs.text_ids, strict=True)
        ],
        "image_id": list(pairs.image_ids),
        "group": ["matched" if one else "mismatched" for one in pairs.match.tolist()],
        "prediction": [repr(score) for score in pairs.scores.tolist()],
        "score": right.astype(np.float64),
    }
