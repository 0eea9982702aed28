"""Predictors: what `--model` names instead of a predictions file, one table for all tasks.

A predictor belongs to one task, so it is registered as `<task>/<name>`
(`vcr/baseline:constant`); users say the name alone. What a predictor is called
with and returns is the task's own affair, in its `predictors.py`. Other
distributions add theirs to the entry-point group, in the same spelling.
"""

from __future__ import annotations

from typing import Any

from vle_bench.errors import UsageProblem
from vle_bench.registry import Registry

PREDICTORS = Registry(
    "predictor",
    {
        "vqa/baseline:prior": "vle_bench.eval.vqa.predictors:prior",
        "vqa/baseline:annotator": "vle_bench.eval.vqa.predictors:annotator",
        "vqa/baseline:oracle": "vle_bench.eval.vqa.predictors:oracle",
        "vcr/baseline:constant": "vle_bench.eval.vcr.predictors:constant",
        "vcr/baseline:shortest": "vle_bench.eval.vcr.predictors:shortest",
        "vcr/baseline:noisy-oracle": "vle_bench.eval.vcr.predictors:noisy_oracle",
        "retrieval/baseline:constant": "vle_bench.eval.retrieval.predictors:constant",
        "retrieval/baseline:shortest": "vle_bench.eval.retrieval.predictors:shortest",
        "retrieval/baseline:noisy-oracle": "vle_bench.eval.retrieval.predictors:noisy_oracle",
        "grounding/baseline:constant": "vle_bench.eval.grounding.predictors:constant",
        "grounding/baseline:center": "vle_bench.eval.grounding.predictors:center",
        "grounding/baseline:oracle": "vle_bench.eval.grounding.predictors:oracle",
    },
    group="vle_bench.predictors",
)


def load_predictor(task: str, name: str) -> Any:
    """The predictor of that name.

    Args:
        task: `vqa`, `vcr`, `retrieval` or `grounding`.
        name: As the user gave it: `baseline:constant`.

    Raises:
        UsageProblem: The task has no predictor of that name.
    """
    known = predictor_names(task)
    if name not in known:
        raise UsageProblem(
            f"--model {name}: no such predictor of {task}. Known: {', '.join(known)}."
        )
    return PREDICTORS.load(f"{task}/{name}")


def predictor_names(task: str) -> tuple[str, ...]:
    """The predictors of a task, without the task's name.

    >>> predictor_names("vcr")[0]
    'baseline:constant'
    """
    prefix = f"{task}/"
    return tuple(
        name.removeprefix(prefix) for name in PREDICTORS.names() if name.startswith(prefix)
    )
