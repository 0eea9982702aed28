"""What is said of a submission: which file, how many rows, what to look at before the upload.

Problems stop the run, as the server would. Warnings are about files that the
server takes and scores low without a word.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from vle_bench.catalog.datasets import expected_count
from vle_bench.errors import DataProblem
from vle_bench.eval.references import canonical_split, is_sample

SCHEMA = "vle-bench/submission/1"
_SPLITS = frozenset({"train", "val", "test", "test-dev", "test-std"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """`--json` of `vle-eval submit`."""

    schema: str = SCHEMA
    task: Literal["vqa", "vcr"]
    dataset: str
    split: str
    """"" where neither the user nor the file says it."""
    n: int
    file: str
    sha256: str
    written: bool
    """False where an existing file was checked."""
    inputs: dict[str, str]
    warnings: tuple[str, ...] = ()


def count_warnings(dataset: str, split: str, *, found: int, named: str, place: str) -> list[str]:
    """Whether there are as many questions as the split has.

    Args:
        dataset: The dataset's name.
        split: The split, as stored.
        found: Questions found.
        named: `--split` as the user wrote it; only a split that was named is enforced.
        place: The questions file, for the message.

    Raises:
        DataProblem: Another number than a confirmed count of the split that the user named.
    """
    if not split or is_sample(Path(place)):
        return []
    expected = expected_count(dataset, canonical_split(split), "questions")
    if expected is None or expected.count == found:
        return []
    sentence = (
        f"{place}: {found:,} questions, {expected.count:,} were expected of {dataset} {split} "
        f"({expected.source})"
    )
    if named and expected.verified == "yes":
        raise DataProblem(f"{sentence}. Give the whole split, or leave --split out.")
    unsure = "" if expected.verified == "yes" else ", a count that is not confirmed"
    return [f"{sentence}{unsure}. The server wants the whole split."]


def refuse_other_split(named: str, own: str, *, place: str) -> None:
    """Whether the file is of the split that the user named, where both are known ones.

    Args:
        named: `--split` as the user wrote it; "" where he did not.
        own: What the questions say of themselves, as stored.
        place: The questions file, for the message.

    Raises:
        DataProblem: It is of another one.
    """
    pair = {canonical_split(named), own}
    # The server scores test-std from answers to every question of test.
    if not named or len(pair) == 1 or pair == {"test", "test-std"} or not pair <= _SPLITS:
        return
    raise DataProblem(
        f"{place}: questions of {own}, --split says {named}. Give the file of that split."
    )


def refuse_byte_order_mark(data: bytes, *, place: str) -> None:
    """Whether a file begins with the mark that our readers pass over and a server's may not.

    Raises:
        DataProblem: It does.
    """
    if data.startswith(_BYTE_ORDER_MARK):
        raise DataProblem(
            f"{place}: begins with a byte order mark, which Python's json and csv do not skip. "
            "Save it as UTF-8 without one, or write it with --predictions and --out."
        )


def submission_text(submission: Submission) -> str:
    """The summary for people, one line a fact."""
    where = f"{submission.dataset} {submission.split}".strip()
    verb = "written and checked" if submission.written else "checked"
    lines = [
        f"{submission.file}: {verb}, {submission.n:,} rows for {where}.",
        f"sha256 {submission.sha256}",
        *(f"warning: {warning}" for warning in submission.warnings),
    ]
    return "\n".join(lines) + "\n"
