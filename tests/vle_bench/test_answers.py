"""The official normalisation: its quirks one by one, then 2,500 recorded answers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vle_bench.answers import (
    NUMBER_WORDS,
    normalise_answer,
    punctuation_step,
    strip_step,
    word_step,
)
from vle_bench.catalog.contractions import contractions

ANSWERS = st.text(alphabet="ab1 2.,?!-/'\"()theTHE\n\t٣", max_size=30)


class Recorded(msgspec.Struct, frozen=True):
    raw: str
    stripped: str
    punctuation: str
    normalised: str


def test_recorded_answers_of_the_official_program_row_by_row(reference: Path) -> None:
    lines = (reference / "golden/scores/golden_vqa_normalize.jsonl").read_bytes().splitlines()
    rows = [msgspec.json.decode(line, type=Recorded) for line in lines]
    assert len(rows) == 2500
    for row in rows:
        assert strip_step(row.raw) == row.stripped
        assert punctuation_step(row.stripped) == row.punctuation
        assert word_step(row.punctuation) == row.normalised
        assert normalise_answer(row.raw) == row.normalised


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a-b", "b"),
        ("a - b", "b"),
        ("well-known", "well known"),
        ("red, white, and blue", "red white and blue"),
        ("1,2,3", "123"),
        ("x,y 1,2", "xy 12"),
        ("x-y 1,2", "xy 12"),
        ("2:50 pm", "2:50 pm"),
        ("$5", "$5"),
        ("50%", "50%"),
        ("a & b", "& b"),
        ("None", "0"),
        ("twenty", "twenty"),
        ("two,three", "2 3"),
        ("1 + 1", "1 1"),
        ("<b>", "b"),
        ("ÀB", "àb"),
        ("the", ""),
        ("", ""),
    ],
)
def test_examples_of_the_written_rule(raw: str, expected: str) -> None:
    assert normalise_answer(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("3.", "3"), ("a.5", "a.5"), ("5.a", "5a"), ("1.2.3", "1.2.3"), (".5", ".5"), ("3.٣", "3.٣")],
)
def test_a_period_goes_unless_a_digit_follows(raw: str, expected: str) -> None:
    assert punctuation_step(raw) == expected


def test_only_32_periods_go() -> None:
    assert punctuation_step("." * 40) == "." * 8


def test_a_unicode_digit_counts_as_a_digit_around_a_comma() -> None:
    assert punctuation_step("x-y ٣,٤") == "xy ٣٤"


def test_the_tests_look_at_the_text_before_any_replacement() -> None:
    # The slash turns into a space, yet the comma beside it was beside no space before.
    assert punctuation_step("a/,b") == "a  b"


@pytest.mark.parametrize("raw", ["Im", "Ive", "I'dve", "Id've"])
def test_a_capital_key_of_the_contraction_table_never_matches(raw: str) -> None:
    assert normalise_answer(raw) == raw.lower()


def test_the_reversed_pair_of_the_table_is_kept() -> None:
    assert word_step("somebody'd one") == "somebodyd 1"


@given(ANSWERS)
def test_reading_never_grows_a_table(raw: str) -> None:
    before = (dict(NUMBER_WORDS), dict(contractions()))
    normalise_answer(raw)
    assert (dict(NUMBER_WORDS), dict(contractions())) == before


@given(ANSWERS)
def test_what_comes_out_is_lower_case_and_single_spaced_without_articles(raw: str) -> None:
    words = normalise_answer(raw).split(" ")
    assert " ".join(words) == normalise_answer(raw).lower()
    assert words == [""] or not {"", "a", "an", "the", "none", "ten"} & set(words)


@given(ANSWERS)
def test_the_case_and_the_surrounding_space_of_an_answer_do_not_matter(raw: str) -> None:
    assert normalise_answer(f" \t{raw}\n") == normalise_answer(raw) == normalise_answer(raw.lower())
