"""Mutated files: a clear message or a right score, never a crash, never a silent wrong number.

Each reader meets files damaged by a seeded draw. What it refuses must say what and where; what it
accepts must have the score that a plain reading of those very bytes has. `make test` takes a
sample, `make fuzz` 10,000 files a reader. A file that failed is made again from its name and seed.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import pytest
from fuzz_grounding import GROUNDING, write_shards
from fuzz_plain import Unclear
from fuzz_reader import Reader, Scores, ours
from fuzz_readers import READERS, write_world

from vle_bench.console import message_text
from vle_bench.errors import MOST_PROBLEMS, DataProblem, UsageProblem

EVERY = READERS | GROUNDING
SAMPLE = 60
FULL = 10_000
MOST_SHOWN = 10
ONCE_WRONG = (
    ("vcr references", 8633),  # two records in a line, one over two: as many as there are lines
    ("retrieval features, NPZ", 8154),  # a stored member of two sizes
    ("grounding boxes", 4330),  # an empty id
)
"""Seeds of files that were once taken, or ended in a crash."""
NO_READING = (
    Unclear, KeyError, TypeError, ValueError, AttributeError, IndexError, OSError, BadZipFile,
)  # fmt: skip
"""What a plain program does with a file that makes no sense to it."""


class Trial(NamedTuple):
    """What a reader did with damaged files."""

    accepted: int
    refused: int
    wrong: list[str]


def plainly(reader: Reader, data: bytes) -> Scores | str:
    try:
        return reader.plainly(data)
    except NO_READING as error:
        return f"unclear: {error!r}"


def is_clear(message: str, folder: Path) -> bool:
    """Whether it names a file and, as it is printed, says something in each of ten lines."""
    lines = message_text(message).split("\n")
    said = all(line.strip() and line.isprintable() for line in lines)
    return said and str(folder) in lines[0] + lines[-1] and len(lines) <= MOST_PROBLEMS


def tried(reader: Reader, folder: Path, data: bytes) -> tuple[bool, str]:
    """Whether a file was accepted, and what is wrong with that."""
    file = folder / "damaged"
    file.write_bytes(data)
    try:
        found = ours(reader, folder, file)
    except (DataProblem, UsageProblem) as problem:
        clear = is_clear(str(problem), folder)
        return False, "" if clear else f"no clear message: {str(problem)!r}"
    except Exception as error:  # noqa: BLE001  # a crash of any kind is what is looked for
        return False, f"a crash: {error!r}"
    wanted = plainly(reader, data)
    if isinstance(wanted, str):
        return True, f"{found} of a file that is {wanted}"
    right = found == pytest.approx(wanted, rel=0, abs=1e-9)
    return True, "" if right else f"{found}, plainly {wanted}"


def trial(name: str, folder: Path, seeds: range) -> Trial:
    """Damages one reader's file once for each seed."""
    reader = EVERY[name]
    write_world(folder)
    write_shards(folder)
    accepted, wrong = 0, []
    for seed in seeds:
        data = reader.damage(reader.whole, random.Random(f"{name} {seed}"))
        taken, said = tried(reader, folder, data)
        accepted += taken
        if said:
            wrong.append(f"{name}, seed {seed}: {said}")
    return Trial(accepted, len(seeds) - accepted, wrong)


def checked(name: str, folder: Path, seeds: range) -> None:
    found = trial(name, folder, seeds)
    assert not found.wrong, "\n".join(found.wrong[:MOST_SHOWN])
    # A reader that refuses everything, or nothing, is not tried at all.
    assert found.accepted > len(seeds) // 100
    assert found.refused > len(seeds) // 20


@pytest.mark.parametrize("name", EVERY)
def test_a_sound_file_scores_as_a_plain_reading_says(name, tmp_path) -> None:
    reader = EVERY[name]
    write_world(tmp_path)
    write_shards(tmp_path)
    (tmp_path / "file").write_bytes(reader.whole)
    wanted = plainly(reader, reader.whole)
    assert ours(reader, tmp_path, tmp_path / "file") == pytest.approx(wanted, rel=0, abs=1e-9)


@pytest.mark.parametrize("name", EVERY)
def test_damaged_files_are_refused_with_a_word_or_scored_right(name, tmp_path) -> None:
    checked(name, tmp_path, range(SAMPLE))


@pytest.mark.parametrize(("name", "seed"), ONCE_WRONG)
def test_what_was_once_wrong_is_refused(name, seed, tmp_path) -> None:
    found = trial(name, tmp_path, range(seed, seed + 1))
    assert (found.refused, found.wrong) == (1, [])


@pytest.mark.fuzz
@pytest.mark.parametrize("name", EVERY)
def test_ten_thousand_damaged_files_a_reader(name, tmp_path) -> None:
    checked(name, tmp_path, range(SAMPLE, FULL))
