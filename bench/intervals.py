"""How sure a score is, and how fast that is known: ours beside scipy's.

scipy resamples and exchanges single questions, which is the wrong unit; it has no
other. Ours resample 10,000 times by picture where scipy resamples 1,000 times by
question. The randomisation draws as often as scipy's permutation test. Scores are
drawn: five levels, two models that agree on most, pictures with three questions or
more, as many as VQAv2 val has.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.contest import Contest, Goal
from bench.entrant import Work, program

SCORES = "scores.npz"
RESAMPLES = 10_000
THEIRS = 1_000
_PER_PICTURE = 214_354 / 40_504
_LEAST = 3
_LEVELS = (0.0, 0.3, 0.6, 0.9, 1.0)
_SHARES = (0.25, 0.08, 0.07, 0.1, 0.5)
_DIFFERING = 0.2
_BATCH = 50
"""scipy holds this many draws at a time; all at once take gigabytes, and longer."""
_SLOW_ROUNDS = 2

BOOTSTRAP, ONE, TWO = "scipy.stats.bootstrap", "vle-bench, one thread", "vle-bench, two threads"
PERMUTATION, OURS = "scipy.stats.permutation_test", "vle-bench"


def contests(place: Path, questions: int) -> list[Contest]:
    """An interval and a paired test over `questions` drawn scores."""
    place.mkdir(parents=True, exist_ok=True)
    path = write_scores(place, questions)
    given = f"{questions:,} scores of {round(questions / _PER_PICTURE):,} pictures"
    return [_interval(place, path, given), _paired(place, path, given)]


def write_scores(place: Path, questions: int) -> Path:
    """Draws the scores of two models and the picture of each question."""
    generator = np.random.default_rng(0)
    pictures = max(2, round(questions / _PER_PICTURE))
    some = np.repeat(np.arange(pictures), _LEAST)[:questions]
    owners = np.concatenate([some, generator.integers(0, pictures, questions - len(some))])
    first = generator.choice(_LEVELS, questions, p=_SHARES)
    other = generator.choice(_LEVELS, questions, p=_SHARES)
    second = np.where(generator.random(questions) < _DIFFERING, other, first)
    path = place / SCORES
    np.savez(path, first=first, second=second, owners=owners)
    return path


def _interval(place: Path, path: Path, given: str) -> Contest:
    return Contest(
        name="interval",
        title=f"95 % interval: {RESAMPLES:,} draws by picture, {THEIRS:,} of scipy by question",
        given=given,
        place=place,
        programs=(
            program(BOOTSTRAP, scipy_bootstrap, path),
            program(ONE, our_interval, path, "1"),
            program(TWO, our_interval, path, "2"),
        ),
        floor=BOOTSTRAP,
        goals=(
            Goal("interval on one thread beside scipy's", ONE, BOOTSTRAP, "speed", 3.5),
            Goal("interval on two threads beside scipy's", TWO, BOOTSTRAP, "speed", 5.0),
        ),
    )


def _paired(place: Path, path: Path, given: str) -> Contest:
    return Contest(
        name="paired-test",
        title=f"Paired randomisation, {THEIRS:,} draws; ours exchanges pictures, scipy questions",
        given=given,
        place=place,
        programs=(
            program(PERMUTATION, scipy_permutations, path),
            program(OURS, our_randomisation, path),
        ),
        floor=PERMUTATION,
        goals=(Goal("paired test beside scipy's", OURS, PERMUTATION, "speed", 1000.0),),
        most_rounds=_SLOW_ROUNDS,
    )


def scipy_bootstrap(path: Path) -> Work:
    """The percentile interval of the mean, questions taken as independent."""
    from scipy.stats import bootstrap

    scores = np.load(path)["first"]
    return lambda: bootstrap(
        (scores,),
        np.mean,
        n_resamples=THEIRS,
        batch=_BATCH,
        method="percentile",
        rng=np.random.default_rng(0),
    )


def our_interval(path: Path, threads: Path) -> Work:
    """Sums by picture, draws, and their percentiles."""
    from vle_bench.statistics import percentile_interval, resampled_ratios
    from vle_bench.statistics.bootstrap import sums_by_group

    stored = np.load(path)
    scores, owners = stored["first"], stored["owners"]
    workers = int(str(threads))

    def work() -> object:
        pictures = int(owners.max()) + 1
        sums = sums_by_group(scores, owners, pictures)
        counts = np.bincount(owners, minlength=pictures)
        draws = resampled_ratios(
            sums, counts, resamples=RESAMPLES, seed=0, stream="bench", threads=workers
        )
        return percentile_interval(draws)

    return work


def scipy_permutations(path: Path) -> Work:
    """The permutation test of pairs, questions taken as independent."""
    from scipy.stats import permutation_test

    stored = np.load(path)
    pair = stored["first"], stored["second"]
    return lambda: permutation_test(
        pair,
        lambda one, two, axis: one.mean(axis=axis) - two.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=THEIRS,
        batch=_BATCH,
        rng=np.random.default_rng(0),
    )


def our_randomisation(path: Path) -> Work:
    """Differences by picture, and the share of exchanges that are at least as far apart."""
    from vle_bench.statistics.bootstrap import sums_by_group
    from vle_bench.statistics.paired import randomised

    stored = np.load(path)
    first, second, owners = stored["first"], stored["second"], stored["owners"]

    def work() -> object:
        differences = sums_by_group(second - first, owners, int(owners.max()) + 1)
        return randomised(differences, resamples=THEIRS, seed=0, stream="bench")

    return work
