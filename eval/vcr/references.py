"""VCR references: the lines of `val.jsonl`, of which four keys are needed.

The official files hold 23 keys, GD-VCR's others, our sample world some. Only
`annot_id`, the picture and the two labels decide a score, so only they are
asked for; the question and `answer_likelihood`, where they are, tell its kind.
Several of the rest give the label away (`*_match_iter`, `*_sources`) and are
never read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import msgspec

from vle_bench.errors import DataProblem, Problems, UsageProblem
from vle_bench.eval.matching import unique_ids
from vle_bench.eval.references import canonical_split, check_expected_count, is_sample
from vle_bench.eval.requests import VcrRequest
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.eval.vcr.question import UNSTATED, objects_named, question_word
from vle_bench.identity import id_text
from vle_bench.inputs import open_source
from vle_bench.inputs.aside import aside
from vle_bench.inputs.collector import no_collector
from vle_bench.inputs.content import Content, file_content
from vle_bench.inputs.json_lines import UnclearLines, every_line
from vle_bench.inputs.records import read_records

CHOICES = 4
DATASET = "vcr"
_WHAT = "VCR references"
_EXPECTED = (
    "VCR references with annot_id, img_id or img_fn, answer_label and rationale_label "
    "(the test split comes without labels and cannot be scored here)"
)
_SPLITS = ("train", "val", "test")

Label = Annotated[int, msgspec.Meta(ge=0, lt=CHOICES)]
Choice = str | list[str | int | list[int]]


class _Line(msgspec.Struct, frozen=True, gc=False):
    annot_id: str | int
    answer_label: Label
    rationale_label: Label
    img_id: str | int | None = None
    img_fn: str | int | None = None
    region: Any = None
    question: Any = None
    answer_likelihood: Any = None


class _Labels(msgspec.Struct, frozen=True, gc=False):
    answer_label: Any = None
    rationale_label: Any = None


Choices = Annotated[list[Choice], msgspec.Meta(min_length=CHOICES, max_length=CHOICES)]


class _LineWithChoices(_Line, frozen=True, gc=False):
    answer_choices: Choices | None = None
    rationale_choices: Choices | None = None


class VcrItem(msgspec.Struct, frozen=True, gc=False):
    """One question with its gold.

    Attributes:
        annot_id: The item's id.
        image_id: `img_id`, or `img_fn` where there is none: what intervals resample.
        answer_label: Index of the right answer, 0 to 3.
        rationale_label: Index of the right reason, 0 to 3.
        group: GD-VCR's region; "" elsewhere.
        answer_lengths: Tokens of each answer; empty unless asked for and there.
        rationale_lengths: Tokens of each reason; likewise.
        likelihood: `answer_likelihood`; "" where the file states none.
        objects_named: Objects that the question names; `UNSTATED` where it is not in tokens.
        question_word: Its question word or `other`; "" where the file has no question.
    """

    annot_id: str
    image_id: str
    answer_label: int
    rationale_label: int
    group: str = ""
    answer_lengths: tuple[int, ...] = ()
    rationale_lengths: tuple[int, ...] = ()
    likelihood: str = ""
    objects_named: int = UNSTATED
    question_word: str = ""


def read_references(
    request: VcrRequest, *, choices: bool = False
) -> tuple[tuple[VcrItem, ...], ReferenceFacts]:
    """The items that a request names, in the file's order, and what the file is.

    Args:
        request: `annotations` names the file.
        choices: Also read the choices, for predictors that look at them.

    Raises:
        DataProblem: Missing, broken, an id twice, or not the whole split that was named.
        UsageProblem: No references were named.
    """
    if not request.annotations:
        raise UsageProblem("No references. Give --annotations val.jsonl, or --split with --data.")
    path = Path(request.annotations)
    content = file_content(path, _WHAT)
    with no_collector(), aside(lambda: content.sha256):
        items = _read_items(content, path, _LineWithChoices if choices else _Line)
    facts = ReferenceFacts(
        path=request.annotations,
        sha256=content.sha256,
        dataset=request.dataset or DATASET,
        split=canonical_split(request.split) or _split_of_ids(items),
        sample=is_sample(path),
    )
    check_expected_count(
        dataset=facts.dataset,
        named_split=request.split,
        kind="questions",
        found=len(items),
        place=str(path),
        sample=facts.sample,
    )
    return items, facts


def _read_items(content: Content, path: Path, line_type: type[_Line]) -> tuple[VcrItem, ...]:
    """The items of a file; in one parse where nothing is wrong with it, else line by line."""
    items: list[VcrItem] = []
    with suppress(ValueError):
        for lines in every_line(content, line_type):
            items += map(_item, lines)
        if len({item.annot_id for item in items}) == len(items):
            return tuple(items)
    _refuse_unlabelled(content)
    return _careful(path, line_type)


def _careful(path: Path, line_type: type[_Line]) -> tuple[VcrItem, ...]:
    """Line by line, so that every problem has its place."""
    source = open_source(path, _WHAT)
    items: list[tuple[str, VcrItem]] = []
    problems = Problems()
    for place, line in list(read_records(source, line_type, _EXPECTED)):
        try:
            items.append((place, _item(line)))
        except ValueError as error:
            problems.add(f"{place}: {error}")
    problems.raise_if_any(advice=f"Expected {_EXPECTED}.")
    if not items:
        raise DataProblem(f"{source.path}: no references in it. Expected {_EXPECTED}.")
    ids = ((place, item.annot_id) for place, item in items)
    unique_ids(ids, what="annot_id", file=str(source.path))
    return tuple(item for _, item in items)


def _refuse_unlabelled(content: Content) -> None:
    """One sentence, not ten, where no line has labels; a line without may just be damaged."""
    count, unlabelled = 0, _Labels()
    try:
        for lines in every_line(content, _Labels):
            if any(line != unlabelled for line in lines):
                return
            count += len(lines)
    except UnclearLines:
        return
    if count > 1:
        raise DataProblem(
            f"{content.place}: none of the {count:,} lines has answer_label or rationale_label. "
            "Those of the test split are hidden, so nothing can be scored here: write the "
            "server's file with vle-eval submit vcr, or give val.jsonl."
        )


def _item(line: _Line) -> VcrItem:
    image = line.img_fn if line.img_id is None else line.img_id
    if image is None:
        raise ValueError("neither img_id nor img_fn")
    answers: tuple[int, ...] = ()
    rationales: tuple[int, ...] = ()
    if type(line) is _LineWithChoices:
        answers, rationales = _lengths(line.answer_choices), _lengths(line.rationale_choices)
    annot, region = line.annot_id, line.region
    likelihood, question = line.answer_likelihood, line.question
    return VcrItem(
        # What is a text already needs no call, 26,534 times over.
        annot if annot and type(annot) is str else id_text(annot),
        image if image and type(image) is str else id_text(image),
        line.answer_label,
        line.rationale_label,
        region if type(region) is str else "",
        answers,
        rationales,
        likelihood if type(likelihood) is str else "",
        objects_named(question),
        question_word(question),
    )


def _lengths(choices: Sequence[Choice] | None) -> tuple[int, ...]:
    return tuple(
        len(choice.split()) if isinstance(choice, str) else len(choice) for choice in choices or ()
    )


def _split_of_ids(items: Sequence[VcrItem]) -> str:
    """The split that all ids begin with ("val-17"); "" where they do not agree."""
    prefixes = {item.annot_id.partition("-")[0] for item in items}
    return prefixes.pop() if len(prefixes) == 1 and prefixes <= set(_SPLITS) else ""
