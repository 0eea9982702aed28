"""Options as a case or a pin writes them, as a request whose files stand where they may.

Every option of plain text is a file's name unless it is known to be a word, so an
option that a task gains tomorrow cannot read outside the folder by being forgotten here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from vle_bench.catalog.strict_toml import fitted
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.eval.requests import ScoringRequest
from vle_bench.eval.scored import Scored, ScoringTask
from vle_bench.eval.tasks import load_task

Place = Callable[[str], str]
"""A file's name as it is written, to the path it stands for."""

_WORDS = frozenset({"model", "dataset", "split"})
_OR_NUMBER = frozenset({"folds"})
"""Options that take a number instead of a file."""
_PREDICTIONS = frozenset(
    {"predictions", "detections", "scores", "image_features", "text_features"}
)  # fmt: skip
_REFERENCES = frozenset({"annotations", "questions", "texts", "data", "folds", "positives"})


def score_options(
    task_name: str, options: Mapping[str, Any], *, place: Place, where: str
) -> Scored:
    """Scores what `options` ask for.

    Args:
        task_name: As `vle-eval` names it.
        options: Its options, without the leading dashes.
        place: Finds each named file, or refuses it.
        where: The file that holds the options, for messages.

    Raises:
        DataProblem: No task or options of that name, or what is wrong with the files.
    """
    try:
        task = load_task(task_name)
        return task.score(placed_request(task, options, place=place, where=where))
    except UsageProblem as problem:
        # What is wrong usage on a command line is a fault of the file here.
        raise DataProblem(f"{where}: {problem}") from problem


def placed_request(
    task: ScoringTask, options: Mapping[str, Any], *, place: Place, where: str
) -> ScoringRequest:
    """The request that `options` write; arguments as in `score_options`."""
    asked = _request(task, options, where)
    files: dict[str, Any] = {}
    for field, names in _files(asked):
        placed = tuple(",".join(map(place, name.split(","))) for name in names)
        files[field] = placed if isinstance(getattr(asked, field), tuple) else placed[0]
    return msgspec.structs.replace(asked, **files)


def named_files(task_name: str, options: Mapping[str, Any], *, where: str) -> dict[str, str]:
    """Each file that `options` name, in their order, and what it is: predictions, references, ...

    Raises:
        DataProblem: No task or options of that name.
    """
    try:
        asked = _request(load_task(task_name), options, where)
    except UsageProblem as problem:
        raise DataProblem(f"{where}: {problem}") from problem
    written = {key.replace("-", "_") for key in options}
    return {
        part: _role(field)
        for field, names in _files(asked)
        if field in written
        for name in names
        for part in name.split(",")
    }


def _request(task: ScoringTask, options: Mapping[str, Any], where: str) -> ScoringRequest:
    written = {key.replace("-", "_"): value for key, value in options.items()}
    if isinstance(written.get("predictions"), str):
        written["predictions"] = [written["predictions"]]
    return fitted(written, task.request_type, where=f"{where}: options")


def _files(asked: ScoringRequest) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each field that names files, and their names."""
    for info in msgspec.structs.fields(asked):
        if info.name in _WORDS:
            continue
        value = getattr(asked, info.name)
        if info.name in _OR_NUMBER and value.isascii() and value.isdigit():
            continue
        if info.type is str and value:
            yield info.name, (value,)
        elif isinstance(value, tuple) and value and all(isinstance(one, str) for one in value):
            yield info.name, value


def _role(field: str) -> str:
    if field in _PREDICTIONS:
        return "predictions"
    return "references" if field in _REFERENCES else field.replace("_", " ")
