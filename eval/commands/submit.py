"""`vle-eval submit vqa|vcr`: the file that an official server takes, checked before the upload."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vle_bench.console import PLACE
from vle_bench.errors import UsageProblem

if TYPE_CHECKING:
    from vle_bench.eval.submit.summary import Submission

_PREDICTIONS = click.option("--predictions", type=PLACE, metavar="P", help="What to submit.")
_OUT = click.option("--out", type=PLACE, metavar="FILE", help="The file to write.")
_CHECK = click.option("--check", type=PLACE, metavar="FILE", help="Only check an existing file.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")


@click.group(name="submit")
def command() -> None:
    """Writes the file that an official server takes, and checks it as the server would.

    Ids, their types, counts, duplicates and scores: whatever the server would refuse, or score
    otherwise than it is meant, stops the run. Nothing is uploaded.
    """


@command.command(name="vqa")
@click.option("--questions", type=PLACE, required=True, metavar="Q.json", help="Of the split.")
@click.option("--split", default="", help="test-dev or test-std: its count is enforced.")
@click.option("--dataset", default="", help="Default: vqav2.")
@_PREDICTIONS
@_OUT
@_CHECK
@_JSON
def vqa(
    *,
    questions: Path,
    split: str,
    dataset: str,
    predictions: Path | None,
    out: Path | None,
    check: Path | None,
    as_json: bool,
) -> None:
    """EvalAI's list of {"question_id", "answer"}, sorted by id.

    Predictions are what vle-eval vqa takes: JSON, JSONL, CSV or Parquet. The server takes any file
    name; the official tools read v2_OpenEnded_mscoco_test-dev2015_NAME_results.json.
    """
    written = _to_write(predictions, out, check)
    from vle_bench.eval.submit.vqa import check_submission, read_questions, write_submission

    asked = read_questions(questions, split=split, dataset=dataset)
    if check is not None:
        _show(check_submission(asked, check), as_json=as_json)
    elif written is not None:
        _show(write_submission(asked, *written), as_json=as_json)


@command.command(name="vcr", short_help="The leaderboard's CSV of 20 scores an item.")
@click.option("--annotations", type=PLACE, required=True, metavar="test.jsonl", help="The items.")
@click.option("--split", default="", help="Default: what the ids say.")
@_PREDICTIONS
@_OUT
@_CHECK
@_JSON
def vcr(
    *,
    annotations: Path,
    split: str,
    predictions: Path | None,
    out: Path | None,
    check: Path | None,
    as_json: bool,
) -> None:
    """The leaderboard's CSV of 20 scores an item: reasons under each of the four answers.

    Predictions are that CSV in any order, Parquet of its columns, or JSONL with q2a (4 scores) and
    qa2r (4 lists of 4, one under each answer).
    """
    written = _to_write(predictions, out, check)
    from vle_bench.eval.submit.vcr import check_submission, read_items, write_submission

    items = read_items(annotations, split=split)
    if check is not None:
        _show(check_submission(items, check), as_json=as_json)
    elif written is not None:
        _show(write_submission(items, *written), as_json=as_json)


def _to_write(
    predictions: Path | None, out: Path | None, check: Path | None
) -> tuple[Path, Path] | None:
    """Predictions and the file to write; None where a file is only checked."""
    if check is not None:
        if predictions is not None or out is not None:
            raise UsageProblem("--check looks at an existing file: leave --predictions, --out out.")
        return None
    if predictions is None or out is None:
        raise UsageProblem("Give --predictions P and --out FILE, or --check FILE.")
    if out.exists() and out.resolve() == predictions.resolve():
        raise UsageProblem("--out is the predictions file itself. Choose another name.")
    return predictions, out


def _show(submission: Submission, *, as_json: bool) -> None:
    from vle_bench.canonical import pretty_json_bytes
    from vle_bench.eval.submit.summary import submission_text

    text = pretty_json_bytes(submission).decode("utf-8") if as_json else submission_text(submission)
    click.echo(text, nl=False)
