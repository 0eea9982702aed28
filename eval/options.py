"""The options that every scorer takes, once.

`ScoringRequest` holds what can move a number; `RunOptions` holds what a run is
called and where it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from vle_bench.console import PLACE
from vle_bench.errors import UsageProblem
from vle_bench.eval.requests import DEFAULT_DATA, DEFAULT_RESAMPLES

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_RESULTS = "results"
_RUN_KEYS = ("model_name", "setting", "trained_on", "results", "out", "as_json")


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is named, described, stored and shown; none of it moves a score.

    Attributes:
        model_name: "" for the predictions file's stem.
        setting: `finetuned`, `zero-shot`, or "" when not stated.
        trained_on: Splits of the dataset that the model has seen.
        results: Root of the store, or None to store nothing there.
        out: The leaf folder itself, instead of a root.
        as_json: Print the result document instead of a table.
    """

    model_name: str = ""
    setting: str = ""
    trained_on: tuple[str, ...] = ()
    results: Path | None = None
    out: Path | None = None
    as_json: bool = False


_OPTIONS = (
    click.option("--predictions", multiple=True, metavar="P", help="Predictions to score."),
    click.option("--model", default="", help="A predictor instead of a file: baseline:NAME."),
    click.option("--dataset", default="", help="Default: what the references say."),
    click.option("--split", default="", help="Default: what the references say; dev means val."),
    click.option("--data", default=DEFAULT_DATA, show_default=True, help="Folder of shards."),
    click.option("--model-name", default="", help="Default: the predictions file's stem."),
    click.option("--setting", type=click.Choice(["finetuned", "zero-shot"]), default=None,
                 help="How the model was trained; results name it."),
    click.option("--trained-on", multiple=True, metavar="SPLIT", help="A split the model saw."),
    click.option("--missing", type=click.Choice(["error", "zero"]), default="error",
                 show_default=True, help="What a reference without prediction does."),
    click.option("--resamples", type=click.IntRange(0, 1_000_000), default=DEFAULT_RESAMPLES,
                 show_default=True, help="Bootstrap draws; 0: no interval."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
                 help="Of the draws, and of predictors that draw."),
    click.option("--json", "as_json", is_flag=True, help="Print the result document."),
    click.option("--results", type=PLACE, default=None, metavar="ROOT",
                 help="Store under ROOT/<task>/<dataset>/<split>/<model>/."),
    click.option("--out", type=PLACE, default=None, metavar="DIR",
                 help="Store in DIR itself."),
)  # fmt: skip


def scoring_options(command: Command) -> Command:
    """Adds the shared options to a click command function."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def split_options(values: Mapping[str, Any]) -> tuple[dict[str, Any], RunOptions]:
    """Separates the keyword arguments of a command into a request's fields and `RunOptions`.

    Raises:
        UsageProblem: Options that contradict each other.
    """
    request = {key: value for key, value in values.items() if key not in _RUN_KEYS}
    run = {key: values[key] for key in _RUN_KEYS if key in values}
    run["setting"] = run.get("setting") or ""
    options = RunOptions(**run)
    if options.results is not None and options.out is not None:
        raise UsageProblem("--results ROOT and --out DIR both say where to store. Give one.")
    if request.get("predictions") and request.get("model"):
        raise UsageProblem("--predictions and --model both say what to score. Give one.")
    return request, options
