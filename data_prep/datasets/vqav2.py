"""VQAv2: questions about COCO pictures, ten answers each, one sample per picture.

Test-dev is no split of its own but a flag on questions of test. A picture with
questions in two splits (no official file has one) stays in the first, because a
key is unique over the whole dataset.
Official pages: https://visualqa.org/download.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from vle_bench.data_prep.books import ABSENT, OTHER_SPLIT, Books
from vle_bench.data_prep.caption_rules import CaptionCensus
from vle_bench.data_prep.coco_files import COCO, PICTURE_FOLDERS, CocoFacts
from vle_bench.data_prep.datasets.base import Draft, Parameters, Reading, leave_out, unseen_picture
from vle_bench.data_prep.id_set import IdSet
from vle_bench.data_prep.sources import Document, PictureFile, RawTree
from vle_bench.data_prep.vocabulary import (
    SoftTargets,
    build_vocabulary,
    hold_out,
    vocabulary_files,
)
from vle_bench.data_prep.vqa_files import (
    AskedQuestion,
    Questions,
    answers_of,
    images_asked,
    main_answers,
)
from vle_bench.errors import DataProblem
from vle_bench.records import Question, Sample, VqaSample
from vle_bench.shards.index import SampleRow

NAME = "vqav2"
NO_USABLE_QUESTION = "image without a usable question"

_PARTS: Mapping[str, str] = {"train": "train2014", "val": "val2014", "test": "test2015"}
_ANNOTATED = ("train", "val")


def questions_path(split: str) -> str:
    """The official name of a questions file.

    >>> questions_path("val")
    'v2_OpenEnded_mscoco_val2014_questions.json'
    """
    return f"v2_OpenEnded_mscoco_{_PARTS.get(split, 'test-dev2015')}_questions.json"


def annotations_path(split: str) -> str:
    """The official name of an annotations file (train and val have one)."""
    return f"v2_mscoco_{_PARTS[split]}_annotations.json"


class Vqav2:
    """The dataset as the registry names it."""

    name: str = NAME
    splits: tuple[str, ...] = tuple(_PARTS)
    record: type[Sample] = VqaSample
    parameters: frozenset[str] = frozenset({"seed", "labels", "min_answer_count"})
    items: str = "questions"

    def open(self, raw: RawTree, parameters: Parameters) -> OpenedVqav2:
        """Makes the answer vocabulary from whatever annotations there are."""
        return OpenedVqav2(raw, parameters)


VQAV2 = Vqav2()


class OpenedVqav2:
    """VQAv2 with its raw folder, parameters and vocabulary."""

    def __init__(self, raw: RawTree, parameters: Parameters) -> None:
        self._raw = raw
        self._parameters = parameters
        self._sources: dict[str, str] = {}
        self._vocabulary = build_vocabulary(
            self._main_answers(), at_least=parameters.min_answer_count
        )
        self._targets = SoftTargets(self._vocabulary, normalised=parameters.labels == "normalised")

    def shared_files(self) -> Mapping[str, bytes]:
        """The answer vocabulary, where there are annotations to make it from."""
        return vocabulary_files(self._vocabulary) if self._sources else {}

    def split_files(self, rows: Iterable[SampleRow]) -> Mapping[str, bytes]:
        """`splits/{trainable_val,rest_val}.txt`, one image id a line, once val was prepared."""
        val = [row.image_id for row in rows if row.split == "val"]
        if not val:
            return {}
        trainable, rest = hold_out(val, seed=self._parameters.seed)
        return {
            "splits/trainable_val.txt": _lines(trainable),
            "splits/rest_val.txt": _lines(rest),
        }

    def read(self, split: str, books: Books) -> Reading:
        """The pictures asked about in a split, by ascending id, with all that is known of them."""
        books.sources.update(self._sources)
        questions = Questions(self._needed(questions_path(split), books), books)
        images = questions.images
        books.read["image"] += len(images)
        facts = CocoFacts(self._raw, _PARTS[split], frozenset(images), books)
        samples = _Samples(split, facts, self._targets, questions)
        if split in _ANNOTATED:
            questions.annotate(self._needed(annotations_path(split), books))
        else:
            samples.test_dev = self._test_dev(questions, books)
        taken = self._earlier(split, books)
        pictures = self._raw.pictures(COCO, PICTURE_FOLDERS[_PARTS[split]], images)
        ready: list[tuple[int, PictureFile]] = []
        for image in images:
            questions.leave_out_unusable(image)
            if image in taken:
                samples.leave_out(image, OTHER_SPLIT, books)
            elif not questions.of(image):
                samples.leave_out(image, NO_USABLE_QUESTION, books)
            elif image not in pictures:
                samples.leave_out(image, ABSENT, books)
            else:
                ready.append((image, pictures[image]))
        return Reading([file for _, file in ready], samples.drafts(ready, books))

    def _main_answers(self) -> Iterator[str]:
        for split in _ANNOTATED:
            document = self._raw.document(NAME, annotations_path(split))
            if document is not None:
                self._sources[document.name] = document.sha256
                yield from main_answers(document)

    def _test_dev(self, questions: Questions, books: Books) -> IdSet:
        document = self._raw.document(NAME, questions_path("test-dev"))
        if document is None:
            books.absent.append(questions_path("test-dev"))
            return IdSet()
        books.sources[document.name] = document.sha256
        flagged, books.parts["test-dev"] = questions.read_test_dev(document)
        return flagged

    def _earlier(self, split: str, books: Books) -> frozenset[int]:
        """Images asked about in the splits before this one."""
        taken: set[int] = set()
        for other in Vqav2.splits[: Vqav2.splits.index(split)]:
            document = self._raw.document(NAME, questions_path(other))
            if document is not None:
                books.sources[document.name] = document.sha256
                taken |= images_asked(document)
        return frozenset(taken)

    def _needed(self, path: str, books: Books) -> Document:
        document = self._raw.document(NAME, path)
        if document is None:
            raise DataProblem(
                f"{self._raw.root}: {path} is nowhere in it. Put it, or the official zip that "
                f"holds it, into {self._raw.root / NAME}."
            )
        books.sources[document.name] = document.sha256
        return document


class _Samples:
    """Puts the samples of one split together, or leaves them out with everything they hold."""

    def __init__(
        self, split: str, facts: CocoFacts, targets: SoftTargets, questions: Questions
    ) -> None:
        self.test_dev = IdSet()
        self._split = split
        self._facts = facts
        self._targets = targets
        self._questions = questions

    def leave_out(self, image: int, reason: str, books: Books) -> None:
        """Names the image and everything about it as skipped."""
        for asked in self._questions.of(image):
            books.skip("question", str(asked.question), str(image), reason)
        facts = self._facts
        leave_out(image, reason, books, captions=facts.captions, boxes=facts.boxes)

    def drafts(self, ready: Sequence[tuple[int, PictureFile]], books: Books) -> Iterator[Draft]:
        """One draft per picture that was found."""
        census = CaptionCensus("latin")
        for image, file in ready:
            captions = tuple(self._facts.captions.of(image))
            census.see(captions)
            picture = unseen_picture(
                id=str(image), file_name=file.name, **self._facts.picture_facts(image)
            )
            sample = VqaSample(
                key=f"{NAME}-{image:012d}",
                dataset=NAME,
                split=self._split,
                image=picture,
                captions=captions,
                boxes=tuple(self._facts.boxes.of(image)),
                questions=self._questions_of(image),
            )
            yield Draft(sample, file, self._facts.declared_size(image))
        books.adjusted.update(census.counts())

    def _questions_of(self, image: int) -> tuple[Question, ...]:
        asked = self._questions.of(image)
        flags = self.test_dev.has([one.question for one in asked])
        return tuple(self._question(*pair) for pair in zip(asked, flags, strict=True))

    def _question(self, asked: AskedQuestion, test_dev: bool) -> Question:
        question, text, row = asked
        if row is None:
            return Question(question_id=question, question=text, test_dev=test_dev)
        answers = answers_of(row, annotations_path(self._split))
        target = self._targets.of([one.answer for one in answers])
        return Question(
            question_id=question,
            question=text,
            question_type=row.question_type,
            answer_type=row.answer_type,
            multiple_choice_answer=row.multiple_choice_answer,
            answers=answers,
            labels=target.labels,
            scores=target.scores,
        )


def _lines(identities: Sequence[str]) -> bytes:
    return "".join(f"{identity}\n" for identity in identities).encode("ascii")
