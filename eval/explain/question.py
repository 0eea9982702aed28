"""One VQA question under a protocol: every step of every reading, every leave-one-out term."""

from __future__ import annotations

import msgspec
import numpy as np

from vle_bench.eval.vqa.accuracy import credit_of, hits_of, readings
from vle_bench.eval.vqa.protocols import (
    Protocol,
    leave_one_out,
    leave_one_out_terms,
    soft_steps,
)
from vle_bench.eval.vqa.steps import Step, steps_of
from vle_bench.eval.vqa.task import Run

_RULES = {
    "leave-one-out": "the mean over the annotators of min(others who agree / 3, 1)",
    "thirds": "min(annotators who agree / 3, 1)",
    "soft": "0, 0.3, 0.6, 0.9, 1 for 0, 1, 2, 3, at least 4 annotators who agree",
}


class ReadText(msgspec.Struct, frozen=True, kw_only=True):
    """A text and what each step leaves of it.

    Attributes:
        side: `prediction` or `answer`.
        written: As it was written.
        times: How many annotators wrote it; 0 for the prediction.
        steps: Name and text of each step, in order.
        read: What is compared in the end.
    """

    side: str
    written: str
    times: int
    steps: tuple[Step, ...]
    read: str


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One annotator.

    Attributes:
        answer: What the annotator wrote.
        read: What it is compared as.
        agrees: Whether it is the given answer, and may earn anything.
        others: How many of the others agree.
        term: What leaving this annotator out adds; None under rules that leave nobody out.
    """

    answer: str
    read: str
    agrees: bool
    others: int
    term: float | None


class QuestionExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a question scored as it did.

    Attributes:
        id: The question's id.
        image_id: Its picture.
        question: Its text; "" where no file held it.
        answer_type: As the references name it.
        question_type: As the references name it.
        protocol: The rule's name.
        unanimous: Whether all annotators gave the same answer, as the protocol reads them.
        counts: Whether the question counts; False where no answer is in the vocabulary.
        prediction: The answer; None where it is missing.
        texts: The prediction and each distinct answer, read.
        terms: The annotators in their order.
        matches: How many agree.
        rule: How the score is made of them.
        score: Percent; None where the question does not count.
    """

    id: str
    image_id: str
    question: str
    answer_type: str
    question_type: str
    protocol: str
    unanimous: bool
    counts: bool
    prediction: str | None
    texts: tuple[ReadText, ...]
    terms: tuple[Term, ...]
    matches: int
    rule: str
    score: float | None


def explain_question(run: Run, row: int, protocol: Protocol) -> QuestionExplanation:
    """Explains one question.

    Args:
        run: What was read.
        row: The question's place in the references.
        protocol: The rule.
    """
    gold, given = run.references.gold, run.given
    both = readings(gold, run.lexicon, protocol)
    here = slice(int(gold.starts[row]), int(gold.starts[row + 1]))
    hits = hits_of(gold, given, both).flat[here]
    unanimous = bool(both.unanimous[row])
    counts = bool(both.wanted[here].any())
    answers = [gold.texts[code] for code in gold.codes[here].tolist()]
    given_code = int(given.codes[row])
    prediction = None if given_code < 0 else given.texts[given_code]
    texts = _texts(prediction, answers, protocol, unanimous=unanimous)
    read = {text.written: text.read for text in texts if text.side == "answer"}
    credit = credit_of(given, protocol)
    by_term = credit is leave_one_out
    terms = leave_one_out_terms(hits).tolist()
    matches = int(np.count_nonzero(hits))
    score = float(run.items(protocol).scores[_place(run, row, protocol)]) if counts else None
    return QuestionExplanation(
        id=gold.ids[row],
        image_id=gold.images[row],
        question=run.references.questions[row] if run.references.questions else "",
        answer_type=gold.answer_types[row],
        question_type=gold.question_types[row],
        protocol=protocol.name,
        unanimous=unanimous,
        counts=counts,
        prediction=prediction,
        texts=texts,
        terms=tuple(
            Term(
                answer=answer,
                read=read[answer],
                agrees=agrees,
                others=matches - agrees,
                term=term if by_term else None,
            )
            for answer, agrees, term in zip(answers, hits.tolist(), terms, strict=True)
        ),
        matches=matches,
        rule=_RULES["leave-one-out" if by_term else "soft" if credit is soft_steps else "thirds"],
        score=None if score is None else 100 * score,
    )


def _place(run: Run, row: int, protocol: Protocol) -> int:
    return int(np.searchsorted(run.items(protocol).rows, row))


def _texts(
    prediction: str | None, answers: list[str], protocol: Protocol, *, unanimous: bool
) -> tuple[ReadText, ...]:
    """The prediction, then each distinct answer in order of first appearance."""
    sides = [] if prediction is None else [("prediction", prediction, 0, protocol.given)]
    sides += [
        ("answer", answer, answers.count(answer), protocol.gold)
        for answer in dict.fromkeys(answers)
    ]
    found = []
    for side, written, times, reading in sides:
        reader = reading.unanimous if unanimous else reading.mixed
        found.append(
            ReadText(
                side=side,
                written=written,
                times=times,
                steps=steps_of(written, reader),
                read=reader(written),
            )
        )
    return tuple(found)
