"""The tasks that can be scored; other distributions add theirs by entry point."""

from __future__ import annotations

from typing import cast

from vle_bench.eval.scored import ScoringTask
from vle_bench.registry import Registry

TASKS = Registry(
    "task",
    {
        "vqa": "vle_bench.eval.vqa.task:TASK",
        "vcr": "vle_bench.eval.vcr.task:TASK",
        "retrieval": "vle_bench.eval.retrieval.task:TASK",
        "grounding": "vle_bench.eval.grounding.task:TASK",
        "grounding-mpc": "vle_bench.eval.grounding.label_task:TASK",
        "grounding-itm": "vle_bench.eval.grounding.pair_task:TASK",
        "grounding-detection": "vle_bench.eval.grounding.detection_task:TASK",
    },
    group="vle_bench.evaluators",
)


def load_task(name: str) -> ScoringTask:
    """The task of that name; an unknown one is a `UsageProblem`."""
    return cast("ScoringTask", TASKS.load(name))
