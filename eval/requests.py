"""What a user asks of a scorer, as records that can be stored and asked again.

A request is everything that can move a number. The command line builds it from
options, `case.toml` of the gate holds one, and `result.json` keeps one, so the
stored predictions can be scored afresh. Unknown keys are refused.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

MissingRule = Literal["error", "zero"]
DEFAULT_RESAMPLES = 10_000
DEFAULT_DATA = "data/shards"
DEFAULT_THRESHOLD = 0.5


class ScoringRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part that all tasks share. Paths are kept as the user wrote them.

    Attributes:
        predictions: Prediction files; empty when `model` makes them.
        model: A predictor such as `baseline:prior`, instead of `predictions`.
        dataset: "" for what the references say.
        split: "" for what the references say; `dev` is stored as `val`.
        data: Folder of shards that stands in for a reference file.
        missing: What a reference without prediction does: stop, or score zero (recorded).
        resamples: Bootstrap draws; 0 for no interval.
        seed: Seed of the draws and of predictors that draw.
    """

    predictions: tuple[str, ...] = ()
    model: str = ""
    dataset: str = ""
    split: str = ""
    data: str = DEFAULT_DATA
    missing: MissingRule = "error"
    resamples: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = DEFAULT_RESAMPLES
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0


class VqaRequest(ScoringRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`vle-eval vqa`."""

    annotations: str = ""
    questions: str = ""
    protocol: Literal["official", "always", "lavis", "simple", "mmf", "soft-label"] = "official"
    vocabulary: str = ""
    labels: Literal["raw", "normalised"] = "raw"
    ceilings: bool = False


class VcrRequest(ScoringRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`vle-eval vcr`."""

    annotations: str = ""


class RetrievalRequest(ScoringRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`vle-eval retrieval`."""

    texts: str = ""
    scores: str = ""
    image_ids: str = ""
    text_ids: str = ""
    image_features: str = ""
    text_features: str = ""
    ties: Literal["pessimistic", "optimistic", "stable", "expected"] = "pessimistic"
    folds: str = ""
    positives: tuple[str, ...] = ()


class GroundingRequest(ScoringRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`vle-eval grounding`; which of the fields count depends on what the predictions are.

    Attributes:
        detections: COCO results, instead of `predictions`.
        geometry: How pictures become the model's input; "" where nothing is cut into patches.
        image_size: Side of the model's input.
        patch_size: Side of a patch.
        threshold: From here on a patch, or a pair of picture and text, counts as found. It is
            fixed beforehand: one chosen on the scored split flatters.
        vocabulary: File of the classes that labels count in; "" for COCO's 80 without gaps.
    """

    detections: str = ""
    geometry: Literal["", "stretch", "center_crop"] = ""
    image_size: Annotated[int, msgspec.Meta(ge=0, le=16_384)] = 0
    patch_size: Annotated[int, msgspec.Meta(ge=0, le=16_384)] = 0
    threshold: float = DEFAULT_THRESHOLD
    vocabulary: str = ""

    @property
    def threshold_text(self) -> str:
        """All digits of the threshold: two that differ at all make two measurements.

        >>> GroundingRequest().threshold_text, GroundingRequest(threshold=2).threshold_text
        ('0.5', '2')
        """
        return repr(float(self.threshold)).removesuffix(".0")
