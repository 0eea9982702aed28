"""References out of the shards that `vle-prep run vqav2` wrote.

A prepared split is known by the digests of its shards, which `report.json`
lists. Test-dev is no folder of its own: it is a flag on questions of the test split.
"""

from __future__ import annotations

from pathlib import Path

from vle_bench.eval.references import canonical_split, check_expected_count, shards_digest
from vle_bench.eval.requests import VqaRequest
from vle_bench.eval.scored import ReferenceFacts
from vle_bench.eval.vqa.answer_index import index_path, load_index, store_index
from vle_bench.eval.vqa.gold import Annotation, AnnotatorAnswer, Gold, GoldColumns
from vle_bench.eval.vqa.references import References
from vle_bench.inputs.collector import no_collector
from vle_bench.records import NO_NUMBER, Question, VqaSample
from vle_bench.shards.read import SplitReader, iter_samples
from vle_bench.shards.report import read_report

DEFAULT_DATASET = "vqav2"
VOCABULARY = Path("answers") / "label2answer.json"
_TEST_DEV = "test-dev"
_FOLDERS = {_TEST_DEV: "test", "test-std": "test"}


def read_shards(request: VqaRequest, *, split: str = "") -> References:
    """The references of a split under `--data`.

    Args:
        request: Names the folder, the dataset and the split.
        split: Another split than the one the user named; how many questions it should have is
            then not asked.

    Raises:
        DataProblem: No such dataset or split, damaged shards, or a split without answers.
    """
    named_split = "" if split else request.split
    split = split or canonical_split(request.split)
    stored = _FOLDERS.get(split, split)
    folder = Path(request.data) / (request.dataset or DEFAULT_DATASET)
    report = read_report(folder)
    place = str(folder / stored)
    SplitReader(folder, stored, hold=False).close()  # a split that is not there is named
    digest = shards_digest(report, stored)
    gold, questions = _columns(folder, stored, digest, only_test_dev=split == _TEST_DEV)
    facts = ReferenceFacts(
        path=place,
        sha256=digest,
        dataset=report.dataset,
        split=split,
        sample=report.sample,
    )
    check_expected_count(
        dataset=facts.dataset,
        named_split=named_split,
        kind="questions",
        found=len(gold),
        place=place,
        sample=facts.sample,
    )
    vocabulary = folder / VOCABULARY
    return References(
        gold=gold,
        facts=facts,
        inputs={"shards": facts.sha256},
        questions=questions,
        vocabulary=str(vocabulary) if vocabulary.is_file() else "",
    )


def _columns(
    folder: Path, split: str, digest: str, *, only_test_dev: bool
) -> tuple[Gold, tuple[str, ...]]:
    """The references and the questions' texts, out of the answers kept before or the shards."""
    place = str(folder / split)
    kept = index_path(folder, split, digest)
    with no_collector():
        known = None if only_test_dev else load_index(kept, place, digest)
        if known is not None:
            return known
        columns = GoldColumns(place)
        texts: list[str] = []
        for sample in iter_samples(folder, split, VqaSample):
            asked = [one for one in sample.questions if one.test_dev or not only_test_dev]
            columns.add([_annotation(question, sample.image.id) for question in asked])
            texts.extend(question.question for question in asked)
        gold, questions = columns.gold(), tuple(texts)
        if not only_test_dev:
            store_index(kept, gold, questions, digest)
    return gold, questions


def _annotation(question: Question, image: str) -> Annotation:
    return Annotation(
        question_id=question.question_id,
        image_id=image,
        answer_type=question.answer_type,
        question_type=question.question_type,
        answers=[
            AnnotatorAnswer(
                answer.answer, None if answer.answer_id == NO_NUMBER else answer.answer_id
            )
            for answer in question.answers
        ],
    )
