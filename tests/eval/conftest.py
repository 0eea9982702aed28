"""Runs `vle-eval` in this process, and makes up results for tables and gates."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eval_runs import Ran

from vle_bench.console import exit_code
from vle_bench.eval.cli import group
from vle_bench.results import Metric, References, ResultDocument, Stamp, signature_line


@pytest.fixture
def vle_eval(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs `vle-eval` in this process."""

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        code = exit_code(group, "vle-eval", [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture
def make_document() -> Callable[..., ResultDocument]:
    """A VCR result with chosen fields."""

    def make(model: str = "ours", q2ar: float = 50.0, **changes: object) -> ResultDocument:
        n = 26534
        fields: dict[str, object] = {
            "task": "vcr",
            "dataset": "vcr",
            "split": "val",
            "model": model,
            "sample": False,
            "protocol": "joint",
            "signature": signature_line("vcr", [("data", "vcr"), ("n", str(n))]),
            "metrics": {
                "q2a": Metric(value=70.0, n=n, low=69.0, high=71.0),
                "qa2r": Metric(value=71.0, n=n, low=70.0, high=72.0),
                "q2ar": Metric(value=q2ar, n=n, low=q2ar - 1, high=q2ar + 1),
            },
            "references": References(path="val.jsonl", sha256="0" * 64),
            "stamp": Stamp(inputs={}, package="0", git="", created="1970-01-01T00:00:00Z"),
        }
        return ResultDocument(**{**fields, **changes})  # type: ignore[arg-type]

    return make
