"""Pairs of training and evaluation pictures: what proves them, and how alike they look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from overlap_world import draw, encoded

from vle_bench.data_prep.overlap import likeness
from vle_bench.data_prep.overlap.compare import EvaluationPictures, Pair
from vle_bench.data_prep.overlap.pictures import Pictures, Who
from vle_bench.data_prep.overlap.sides import Place
from vle_bench.data_prep.overlap.thumbnail import SIDE, grey_thumbnail

TRAINING = Place("vg", Path("vg"), "train")
EVALUATION = Place("coco", Path("coco"), "test")


def pictures(place: Place, *given: tuple[int, int, bytes, str]) -> Pictures:
    """Pictures by COCO's id, Flickr's id, digest, and a letter for each of their views."""
    views = [view for *_, looks in given for view in looks]
    drawn = {view: grey_thumbnail(encoded(draw(ord(view)))) for view in set(views)}
    return Pictures(
        who=tuple(Who(place, f"{place.dataset}-{number}") for number in range(len(given))),
        coco=np.array([coco for coco, *_ in given], np.int64),
        flickr=np.array([flickr for _, flickr, *_ in given], np.int64),
        digests=np.array([digest for *_, digest, _ in given], "S32"),
        states=np.zeros(len(given), np.uint8),
        views=np.array([drawn[view] for view in views], np.uint8).reshape(-1, SIDE, SIDE),
        owners=np.repeat(np.arange(len(given)), [len(looks) for *_, looks in given]),
    )


def shared(training: Pictures, evaluation: Pictures) -> dict[tuple[int, int], Pair]:
    """The pairs by the numbers of their pictures."""
    found = EvaluationPictures(evaluation).shared(training)
    numbers = {
        tuple(int(who.key.split("-")[1]) for who in (one.training, one.evaluation)): one
        for one in found
    }
    assert len(numbers) == len(found)
    return numbers


def test_every_pair_that_an_id_or_the_bytes_prove_is_found():
    training = pictures(TRAINING, (7, 0, b"", ""), (0, 5, b"x", ""), (7, 6, b"y", ""))
    evaluation = pictures(
        EVALUATION, (7, 0, b"y", ""), (0, 0, b"", ""), (7, 5, b"x", ""), (0, 6, b"x", "")
    )
    assert {pair: one.ways for pair, one in shared(training, evaluation).items()} == {
        (0, 0): ("coco_id",),
        (0, 2): ("coco_id",),
        (1, 2): ("flickr_id", "bytes"),
        (1, 3): ("bytes",),
        (2, 0): ("coco_id", "bytes"),
        (2, 2): ("coco_id",),
        (2, 3): ("flickr_id",),
    }


def test_looks_are_told_of_every_pair_that_has_any():
    training = pictures(TRAINING, (1, 0, b"", "a"), (2, 0, b"", "b"), (3, 0, b"", ""))
    evaluation = pictures(EVALUATION, (1, 0, b"", "a"), (2, 0, b"", "c"), (3, 0, b"", "d"))
    found = shared(training, evaluation)
    assert found[0, 0][2:] == (("coco_id", "near-copy"), 0, 1.0)
    assert found[1, 1].ways == ("coco_id",)
    assert found[1, 1].distance > likeness.MOST_BITS
    assert found[1, 1].correlation < likeness.LEAST_CORRELATION
    assert found[2, 2][2:] == (("coco_id",), None, None)
    assert found.keys() == {(0, 0), (1, 1), (2, 2)}


@pytest.mark.parametrize(("bound", "value"), [("MOST_BITS", -1), ("LEAST_CORRELATION", 1.1)])
def test_a_near_copy_is_alike_by_hash_and_by_correlation(monkeypatch, bound: str, value: float):
    one, other = pictures(TRAINING, (1, 0, b"", "a")), pictures(EVALUATION, (1, 0, b"", "a"))
    monkeypatch.setattr(likeness, bound, value)
    assert shared(one, other)[0, 0].ways == ("coco_id",)


def test_of_the_views_of_a_pair_those_most_alike_count():
    """Each as it is shown and, where EXIF turns it, as it is stored."""
    training = pictures(
        TRAINING, (0, 0, b"", "ab"), (0, 0, b"", "c"), (0, 0, b"", "de"), (0, 0, b"", "f")
    )
    evaluation = pictures(
        EVALUATION, (0, 0, b"", "b"), (0, 0, b"", "gc"), (0, 0, b"", "he"), (0, 0, b"", "fi")
    )
    found = shared(training, evaluation)
    assert {pair: one[2:] for pair, one in found.items()} == {
        (number, number): (("near-copy",), 0, 1.0) for number in range(4)
    }


def test_a_picture_is_no_copy_of_itself():
    both = pictures(TRAINING, (1, 0, b"x", "a"), (1, 0, b"y", "b"))
    assert shared(both, both).keys() == {(0, 1), (1, 0)}
