"""Rows by picture: as from a dictionary, however little memory there is."""

from __future__ import annotations

import errno
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.data_prep.joined import Joined
from vle_bench.data_prep.journal import only_run
from vle_bench.errors import MachineProblem
from vle_bench.records import BoxAnnotation, Caption
from vle_bench.scratch import scratch_file, scratch_in


class Pair(NamedTuple):
    left: int
    right: Caption


IMAGES = st.integers(-3, 12) | st.integers(0, 10**18)
ROWS = st.lists(st.tuples(IMAGES, st.text(max_size=20)), max_size=60)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(0, 90), st.integers(1, 90), st.randoms(use_true_random=False))
def test_rows_come_back_as_from_a_dictionary(rows, most_bytes: int, block: int, random):
    joined: Joined[tuple[int, str]] = Joined(most_bytes=most_bytes)
    expected: dict[int, list[tuple[int, str]]] = {}
    asked = [image for image, _ in rows] + [5, -4, 10**18 + 1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vle_bench.data_prep.joined.BLOCK_BYTES", block)
        for number, (image, text) in enumerate(rows):
            joined.add(image, (number, text))
            expected.setdefault(image, []).append((number, text))
            if random.random() < 0.1:
                assert list(joined.of(image)) == expected[image]
        for order in (sorted(asked), random.sample(asked, len(asked))):
            for image in order:
                assert list(joined.of(image)) == expected.get(image, [])


@pytest.mark.parametrize("most_bytes", [0, 1 << 20])
@pytest.mark.parametrize(
    "row",
    [
        Caption(id="1", text='a { \u2028 \U0001f600 " \\ caption'),
        BoxAnnotation(id="2", xywh=(1.0, 0.1, 2 / 3, 1e-300), label="x", label_id=3),
        Pair(2**62, Caption(id="", text="")),
        (1, "two", 3.0, True),
    ],
)
def test_a_row_comes_back_equal_and_of_its_class(row: Any, most_bytes: int):
    joined: Joined[Any] = Joined(most_bytes=most_bytes)
    joined.add(1, row)
    (found,) = joined.of(1)
    assert found == row
    assert type(found) is type(row)


def test_json_kept_as_it_stood_comes_back_as_it_stood():
    class Row(msgspec.Struct):
        answers: msgspec.Raw

    text = b'{"answers": [1,\n  2]}'
    joined: Joined[Row] = Joined(most_bytes=0)
    joined.add(1, msgspec.json.decode(text, type=Row))
    assert bytes(joined.of(1)[0].answers) == b"[1,\n  2]"


def test_a_first_row_of_containers_needs_a_kind():
    joined: Joined[Any] = Joined()
    with pytest.raises(TypeError, match="rows of tuple need a kind"):
        joined.add(1, (1, [2]))
    known: Joined[Any] = Joined(tuple[int, list[int]])
    known.add(1, (1, [2]))
    assert known.of(1) == [(1, [2])]


def test_nothing_lies_in_the_scratch_folder_even_while_it_is_used(tmp_path: Path):
    joined: Joined[tuple[int]] = Joined(most_bytes=0)
    with scratch_in(tmp_path):
        for image in range(9):
            joined.add(image, (image,))
        assert list(tmp_path.iterdir()) == []
    assert [joined.of(image) for image in range(9)] == [[(image,)] for image in range(9)]


def test_a_run_keeps_its_scratch_on_the_disk_of_its_output(tmp_path: Path, monkeypatch):
    left = tmp_path / ".vle-prep/x/.scratch-1"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"of a killed run on a system without unnamed files")
    folders: list[Path] = []
    make = tempfile.TemporaryFile

    def noting(**options: Any) -> Any:
        folders.append(options["dir"])
        return make(**options)

    monkeypatch.setattr("tempfile.TemporaryFile", noting)
    with only_run(tmp_path, "x"):
        assert not left.exists()
        scratch_file().close()
    scratch_file().close()
    assert folders == [left.parent, None]


def test_a_full_disk_is_the_machine_s_refusal(monkeypatch, tmp_path: Path):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    joined: Joined[tuple[int]] = Joined(most_bytes=0)
    with scratch_in(tmp_path), pytest.raises(MachineProblem, match="No space left"):
        joined.add(1, (1,))


def test_rows_on_disk_take_a_byte_of_memory_each():
    joined, held = Joined[int](), []
    tracemalloc.start()
    try:
        for number in range(300_000):
            joined.add(number, number)
            if number in {100_000, 299_999}:
                joined.of(0)  # puts on disk what waits in memory
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[1] - held[0] < 200_000
