"""The official VQA normalisation of an answer, with every quirk that moves a number.

It is two steps after a strip: marks and periods, then words. The surprising
fact is how one mark changes what happens to another: every test looks at the
text as it was before the first replacement, so a single "1,000" makes each mark
in the answer vanish without leaving a space ("x,y 1,2" becomes "xy 12").
Preparation reads it for soft labels and scoring for accuracy, hence its place here.
Source: GT-Vision-Lab/VQA, PythonEvaluationTools/vqaEvaluation/vqaEval.py (commit a013f004).
"""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType

from vle_bench.catalog.contractions import contractions

MARKS = ';/[]"{}()=+\\_-><@`,?!'
"""In the order in which the official rule takes them; apostrophe, colon and `$%&#*~^|` stay."""

NUMBER_WORDS = MappingProxyType(
    {
        "none": "0",
        "zero": "0",
        "one": "1",
        "two": "2",
        "three": "3",
        "four": "4",
        "five": "5",
        "six": "6",
        "seven": "7",
        "eight": "8",
        "nine": "9",
        "ten": "10",
    }
)
ARTICLES = frozenset({"a", "an", "the"})

SOFT_STEPS = (0.0, 0.3, 0.6, 0.9, 1.0)
"""Soft training target of an answer that 0, 1, 2, 3, at least 4 of ten annotators gave."""

_PLAIN = re.compile("[a-z]+(?: [a-z]+)*")
"""What neither a strip nor a mark can change, as most answers are."""
_ANY_MARK = re.compile(f"[{re.escape(MARKS)}.]")
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
# The official pattern begins with a mistyped look-behind that can never fail; this is its effect.
_PERIOD_BEFORE_NO_DIGIT = re.compile(r"\.(?!\d)")
_MOST_PERIODS = 32
"""The official call hands `re.UNICODE`, which is 32, to `sub` where it expects a count."""


def strip_step(text: str) -> str:
    r"""Line feeds and tabs become spaces, then the ends are stripped; case stays.

    >>> strip_step(" two\tcats\n")
    'two cats'
    """
    return text.replace("\n", " ").replace("\t", " ").strip()


def punctuation_step(text: str) -> str:
    """Removes marks, or puts a space in their place, and removes periods that end no number.

    A mark goes without a trace where it stands beside a space anywhere in `text`, or where any
    digit,digit stands in it; else each of its occurrences becomes one space. At most 32 periods go.

    >>> punctuation_step("well-known"), punctuation_step("red, white"), punctuation_step("U.S.A.")
    ('well known', 'red white', 'USA')
    """
    if _ANY_MARK.search(text) is None:
        return text
    return periods_step(marks_step(text))


def marks_step(text: str) -> str:
    """The first half of `punctuation_step`: marks go, or become spaces.

    >>> marks_step("1,000 x-y."), marks_step("x-y.")
    ('1000 xy.', 'x y.')
    """
    cleaned = text
    numeric = _COMMA_IN_NUMBER.search(text) is not None
    for mark in MARKS:
        if mark in text:
            vanishes = numeric or f"{mark} " in text or f" {mark}" in text
            cleaned = cleaned.replace(mark, "" if vanishes else " ")
    return cleaned


def periods_step(text: str) -> str:
    """The second half: periods that no digit follows go, 32 of them at most.

    >>> periods_step("U.S.A. 1.5")
    'USA 1.5'
    """
    return _PERIOD_BEFORE_NO_DIGIT.sub("", text, count=_MOST_PERIODS)


def word_step(text: str) -> str:
    """Lower case, number words to digits, no articles, contractions written out; one space between.

    >>> word_step("The  Two dogs dont bark")
    "2 dogs don't bark"
    """
    table = _replacements()
    return " ".join([table.get(w, w) for w in text.lower().split() if w not in ARTICLES])


def normalise_answer(text: str) -> str:
    """The whole rule: strip, punctuation, words. It may leave nothing ("the" becomes "").

    >>> normalise_answer("None."), normalise_answer("1,000"), normalise_answer("A")
    ('0', '1000', '')
    """
    if _PLAIN.fullmatch(text):
        return word_step(text)
    return word_step(punctuation_step(strip_step(text)))


def mmf_step(text: str) -> str:
    """What MMF does before the whole rule: lower case, no comma, no question mark, 's apart.

    Without commas the rule for "1,000" has nothing left to see there.

    >>> mmf_step("The Dog's 1,000?")
    "the dog 's 1000"
    """
    return text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()


def normalise_answer_mmf(text: str) -> str:
    """The rule of MMF's answer processor, by which TextVQA's published numbers are made.

    Source: facebookresearch/mmf, mmf/datasets/processors/processors.py (commit b0ffc7fb).

    >>> normalise_answer_mmf("The dog's, bone"), normalise_answer("The dog's, bone")
    ("dog 's bone", "dog's bone")
    """
    return normalise_answer(mmf_step(text))


@cache
def _replacements() -> MappingProxyType[str, str]:
    """Both tables in one: no digit is a contraction, so one look-up does the work of two."""
    return MappingProxyType({**contractions(), **NUMBER_WORDS})
