"""The tables of a comparison, letter by letter."""

from __future__ import annotations

from msgspec.structs import replace

from vle_bench.eval.compare import Contrast, Drawing, FigureTest
from vle_bench.eval.compare.contrast import Moved
from vle_bench.eval.compare.report import comparison_text, p_text, signed

CONTRAST = Contrast(
    metric="q2a", first="a", second="b", first_value=50.0, second_value=56.666,
    difference=6.666, low=-0.5, high=13.333, n=1060, pictures=1020, higher=1006, lower=2,
    effect=0.3249, p=0.31, p_holm=0.62, p_bootstrap=0.00009, p_mcnemar=None, detectable=12.854,
    moved=(
        Moved(kind="how", n=1000, first=40.0, second=52.5, higher=1006, lower=0),
        Moved(kind="why", n=60, first=70.0, second=66.0, higher=0, lower=2),
    ),
)  # fmt: skip
ALIKE = replace(
    CONTRAST, second="c", second_value=50.0, difference=0.0, low=None, high=None, n=3, pictures=3,
    higher=0, lower=0, effect=None, p=1.0, p_holm=1.0, p_bootstrap=None, p_mcnemar=1.0,
    detectable=None, moved=(),
)  # fmt: skip
FIGURE = FigureTest(
    metric="q2a", ours=50.0, model="R2C", value="50.1", split="val", setting="finetuned",
    source="VCR paper", verified="no", comparable=False, why=("one", "two"), difference=-0.1,
    standard_error=1.0, n=1060, n_published=25263, p_exact=0.92, p_both=0.95, detectable=2.8,
    printed_to=0.1,
)  # fmt: skip
SURE = replace(
    FIGURE, value="49.99", comparable=True, why=(), difference=0.01, n_published=None, p_both=None,
    detectable=None, printed_to=0.005,
)  # fmt: skip

CONTRASTS = """\
vcr, vcr val, 60 of 26,534 questions: a (protocol joint), and other runs

run  metric      a  run's  difference    95 % interval       p  p (Holm)   p boot  p McNemar  effect d      n  pictures
---  ------  -----  -----  ----------  ---------------  ------  --------  -------  ---------  --------  -----  --------
b    q2a     50.00  56.67       +6.67  -0.50 to +13.33  0.3100    0.6200  <0.0001          -    +0.325  1,060     1,020
c    q2a     50.00  50.00        0.00                -  1.0000    1.0000        -     1.0000         -      3         3

p: randomisation, all items of a picture exchanged together; 1,000 draws, seed 7; with 3 pictures the least it can be is 0.25.
p (Holm): the same, for 2 tests of this table together.
p McNemar (exact, items that are higher against lower) takes items as independent; those of a picture are not.
effect d: mean over standard deviation of the pictures' differences.
b, q2a: 1,020 pictures show differences of 12.85 or more (80 % power, 5 % level).

What moved in q2a: b

items      n      a      b  difference  higher  lower
-----  -----  -----  -----  ----------  ------  -----
how    1,000  40.00  52.50      +12.50   1,006      0
why       60  70.00  66.00       -4.00       0      2
all    1,060  50.00  56.67       +6.67   1,006      2
"""  # noqa: E501 - as wide as it is on a terminal
FIGURES = """\
a beside published figures

published  metric  split  setting    figure   ours  difference  p, figure exact  p, both in error      n  n published  verified      source     not comparable because
---------  ------  -----  ---------  ------  -----  ----------  ---------------  ----------------  -----  -----------  ------------  ---------  ----------------------
R2C        q2a     val    finetuned    50.1  50.00       -0.10           0.9200            0.9500  1,060       25,263  NO, recalled  VCR paper  one; two
R2C        q2a     val    finetuned   49.99  50.00       +0.01           0.9200                 -  1,060            -  NO, recalled  VCR paper

One-sample tests, pictures being independent; normal law.
Where a figure is not comparable, p says how far apart two numbers are, and nothing about the two models.
q2a: 1,060 items show differences of 2.80 or more from an exact figure (80 % power, 5 % level).
R2C 50.1: the difference is within what rounding hides.
"""  # noqa: E501 - as wide as it is on a terminal


def test_contrasts_and_figures_are_told_as_they_are(two_runs):
    drawing = Drawing(resamples=1000, seed=7)
    told = comparison_text(two_runs, (CONTRAST, ALIKE), (FIGURE, SURE), drawing)
    assert told == f"{CONTRASTS}\n{FIGURES}"
    assert comparison_text(two_runs, (CONTRAST, ALIKE), (), drawing) == CONTRASTS
    assert comparison_text(two_runs, (), (FIGURE, SURE), drawing) == FIGURES


def test_draws_bound_p_where_there_are_pictures_enough(two_runs):
    many = replace(CONTRAST, moved=())
    told = comparison_text(two_runs, (many,), (), Drawing(resamples=99, seed=0))
    assert "with 1,020 pictures the least it can be is 0.01." in told
    assert "for 1 test of this table" in told


def test_no_warning_stands_where_figures_can_be_compared(two_runs):
    told = comparison_text(two_runs, (), (SURE,), Drawing())
    assert "how far apart two numbers are" not in told
    assert "from an exact figure" not in told


def test_small_numbers_keep_their_meaning():
    assert (p_text(0.0001), p_text(0.00009)) == ("0.0001", "<0.0001")
    assert (signed(0.005), signed(0.0049), signed(-0.0051)) == ("+0.01", "0.00", "-0.01")
