"""The table that the VCR leaderboard takes: 20 scores an item, reasons under every answer.

The right answers of the test split are hidden, so the reasons are scored under
each of the four answers, and the server looks at the block of the right one. A
model that scored reasons once only cannot be submitted.
Source: rowanz/r2c, models/README.md (columns); ChenRocks/UNITER sorts rows by the number in the id.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from vle_bench.atomic import write_if_changed
from vle_bench.canonical import sha256_bytes
from vle_bench.errors import DataProblem, Problems
from vle_bench.eval.matching import Matching, named, unique_ids
from vle_bench.eval.references import canonical_split
from vle_bench.eval.submit.summary import (
    Submission,
    count_warnings,
    refuse_byte_order_mark,
    refuse_other_split,
)
from vle_bench.eval.vcr.order import annotation_order
from vle_bench.eval.vcr.references import CHOICES
from vle_bench.eval.vcr.rows import (
    ANSWER_COLUMNS,
    RATIONALE_COLUMNS,
    annot_id_of,
    row_scores,
)
from vle_bench.eval.vcr.score import picks
from vle_bench.identity import id_text
from vle_bench.inputs import Source, open_source, read_rows
from vle_bench.inputs.collector import no_collector
from vle_bench.inputs.records import read_records

Floats = npt.NDArray[np.float64]

DATASET = "vcr"
COLUMNS = (
    "annot_id",
    *ANSWER_COLUMNS,
    *(name for block in RATIONALE_COLUMNS for name in block),
)
BLOCKS = 1 + CHOICES
_SPLITS = ("train", "val", "test")
_SUM = 1e-3
_EXPECTED = (
    "the leaderboard CSV (annot_id, answer_0..3, rationale_conditioned_on_a{0..3}_{0..3}) or "
    'JSONL {"annot_id", "q2a": [4], "qa2r": [4 lists of 4, one under each answer]}'
)
_EXPECTED_ITEMS = "VCR items with annot_id: test.jsonl"


class _Item(msgspec.Struct, frozen=True, gc=False):
    annot_id: str | int


class Items(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: ids in the server's order, and what the file is."""

    ids: tuple[str, ...]
    split: str
    sha256: str
    warnings: tuple[str, ...]


def read_items(path: Path, *, split: str) -> Items:
    """The items to be answered, by the number in their ids.

    Args:
        path: `test.jsonl`, or that of another split; labels are not read.
        split: As the user named it; "" for what the ids say.

    Raises:
        DataProblem: No such file, an id twice, or not (the whole of) the split that was named.
    """
    with no_collector():
        source = open_source(path, "VCR items")
        lines = list(read_records(source, _Item, _EXPECTED_ITEMS))
    try:
        ids = [id_text(line.annot_id) for _, line in lines]
    except ValueError as error:
        raise DataProblem(f"{path}: annot_id: {error}. Expected {_EXPECTED_ITEMS}.") from error
    if not ids:
        raise DataProblem(f"{path}: holds no item. Expected {_EXPECTED_ITEMS}.")
    places = [place for place, _ in lines]
    unique_ids(zip(places, ids, strict=True), what="annot_id", file=str(path))
    prefixes = {one.partition("-")[0] for one in ids}
    own = prefixes.pop() if len(prefixes) == 1 and prefixes <= set(_SPLITS) else ""
    refuse_other_split(split, own, place=str(path))
    chosen = split or own
    warnings = count_warnings(DATASET, chosen, found=len(ids), named=split, place=str(path))
    return Items(
        ids=tuple(sorted(ids, key=annotation_order)),
        split=canonical_split(chosen),
        sha256=source.sha256,
        warnings=tuple(warnings),
    )


def write_submission(items: Items, predictions: Path, out: Path) -> Submission:
    """Writes scores of all choices as the leaderboard's CSV, then checks that.

    Args:
        items: What is asked; each must be answered.
        predictions: The CSV in any order of rows and columns, Parquet, or JSONL.
        out: The file to write, whole or not at all.

    Raises:
        DataProblem: Ids that do not match, scores that are absent or not finite, or reasons
            that were scored under one answer only.
        MachineProblem: The file cannot be written.
    """
    with no_collector():
        source = open_source(predictions, "VCR predictions")
        scores = _scores(source, items)
        data = _csv(items.ids, scores)
    write_if_changed(out, data)
    return Submission(
        task="vcr",
        dataset=DATASET,
        split=items.split,
        n=len(items.ids),
        file=str(out),
        sha256=sha256_bytes(data),
        written=True,
        inputs={"annotations": items.sha256, "predictions": source.sha256},
        warnings=(*items.warnings, *_warnings(scores)),
    )


def check_submission(items: Items, path: Path) -> Submission:
    """Checks an existing file as the server reads it.

    Raises:
        DataProblem: Another format, other columns, ids that do not match, scores that are no
            finite numbers.
    """
    source = open_source(path, "VCR scores to submit")
    if source.kind != "csv" or sha256_bytes(source.data) != source.sha256:
        raise DataProblem(f"{path}: no plain CSV. Write one with --predictions {path} --out FILE.")
    refuse_byte_order_mark(source.data, place=str(path))
    if b"\t" in source.data.partition(b"\n")[0]:
        raise DataProblem(
            f"{path}:1: columns apart by tabs, the server's are by commas. "
            f"Write it with --predictions {path} --out FILE."
        )
    with no_collector():
        ids = _ids_of_leaderboard(source)
        scores = _scores(source, items)
    warnings = [*items.warnings, *_warnings(scores)]
    if ids != list(items.ids):
        warnings.append("the rows are not in the order of the number in annot_id.")
    return Submission(
        task="vcr",
        dataset=DATASET,
        split=items.split,
        n=len(items.ids),
        file=str(path),
        sha256=source.sha256,
        written=False,
        inputs={"annotations": items.sha256},
        warnings=tuple(warnings),
    )


def _ids_of_leaderboard(source: Source) -> list[str]:
    """The ids in the order of the file, whose heading must be the leaderboard's, in its order."""
    ids: list[str] = []
    for row in read_rows(source, _EXPECTED, columns=COLUMNS):
        if not ids and tuple(row.values) != COLUMNS:
            more = [name or "(no name)" for name in row.values if name not in COLUMNS]
            found = f"other columns: {named(more)}" if more else "columns in another order"
            raise DataProblem(
                f"{source.path}:1: {found}. The server's file has {len(COLUMNS)}: "
                f"{COLUMNS[0]}, {COLUMNS[1]} ... {COLUMNS[-1]}. "
                f"Write it with --predictions {source.path} --out FILE."
            )
        ids.append(str(row.values["annot_id"]))
    return ids


def _scores(source: Source, items: Items) -> Floats:
    """Scores of shape [N, 5, 4] in the order of `items`: answers, then reasons under each."""
    matching = Matching(items.ids, what="annot_id", file=str(source.path))
    problems = Problems()
    scores = np.zeros((len(items.ids), BLOCKS, CHOICES))
    for place, values in read_rows(source, _EXPECTED, columns=("annot_id",)):
        try:
            one, row = annot_id_of(values), row_scores(values)
            if len(row.reasons) != CHOICES:
                raise ValueError(
                    "qa2r has the reasons under one answer only; the right answers are hidden, "
                    "so the server needs them under each of the four"
                )
        except ValueError as error:
            problems.add(f"{place}: {error}")
            continue
        at = matching.place(one, place)
        if at is not None:
            scores[at] = [row.answers, *row.reasons]
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    matching.check(missing="whole")
    return scores


def _csv(ids: Sequence[str], scores: Floats) -> bytes:
    """The table; ids with a comma or a quote are quoted, numbers read back exactly."""
    rows = scores.reshape(len(ids), -1).tolist()
    lines = [",".join(COLUMNS)]
    lines += [
        f"{_quoted(one)},{','.join(map(repr, row))}" for one, row in zip(ids, rows, strict=True)
    ]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _quoted(text: str) -> str:
    if any(sign in text for sign in ',"\r\n\t'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _warnings(scores: Floats) -> list[str]:
    """What the server takes without a word, though it may not be meant."""
    found: list[str] = []
    tied = int(picks(scores[:, 0]).tied.sum())
    reasons = [int(picks(scores[:, 1 + given]).tied.sum()) for given in range(CHOICES)]
    if tied or any(reasons):
        under = ", ".join(f"{count:,} under a{given}" for given, count in enumerate(reasons))
        found.append(
            f"tied maxima, where the first choice wins: {tied:,} among answers; reasons {under}."
        )
    same = int((scores[:, 2:] == scores[:, 1:2]).all(axis=(1, 2)).sum())
    if same:
        found.append(
            f"{same:,} of {len(scores):,} items have the same reason scores under all four "
            "answers: were the reasons scored under each?"
        )
    if not _probabilities(scores):
        found.append("the scores are no probabilities; the server takes the largest all the same.")
    return found


def _probabilities(scores: Floats) -> bool:
    inside = bool(((scores >= 0) & (scores <= 1)).all())
    return inside and bool((np.abs(scores.sum(axis=2) - 1) <= _SUM).all())
