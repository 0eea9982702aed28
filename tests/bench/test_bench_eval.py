"""Every benchmark of scoring runs, and those who compute the same number get the same number."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import grounding, recall, scoring
from bench.contest import hold
from bench.retrieval import Shape, draw, large

ALONE = ("vcr", "retrieval", "grounding-maps", "grounding-area")
"""Contests of a second; intervals and recall have tests of their own."""


def held(tmp_path: Path, *only: str):
    @contextmanager
    def scratch():
        place = tmp_path / f"scratch-{len(list(tmp_path.iterdir()))}"
        place.mkdir()
        yield place

    contests = scoring.contests(scoring.QUICK, only, scratch)
    return {contest.name: hold(contest, rounds=1) for contest in contests}


def test_every_program_of_every_contest_runs(tmp_path):
    found = held(tmp_path, *ALONE)
    assert set(found) == {*ALONE, "retrieval-slice"}
    for outcome in found.values():
        assert outcome.floor in {one.name for one in outcome.programs}
        assert all(one.wall_s >= 0 and one.rss_mb > 1 for one in outcome.programs)
    alone = found["retrieval-slice"]
    assert {goal.kind for goal in alone.goals} >= {"own memory"}
    assert all(1 < (one.own_mb or 0) < one.rss_mb for one in alone.programs)


def test_vqa_is_scored_from_json_and_from_shards_alike(tmp_path):
    (outcome,) = held(tmp_path, "vqa").values()
    assert len(outcome.programs) == 5
    assert [goal.kind for goal in outcome.goals] == ["time", "time", "memory", "speed"]


def test_the_whole_of_a_hundred_thousand_pictures_is_ranked_only_by_name():
    never = scoring.contests(scoring.QUICK, ("no-such-contest",), lambda: pytest.fail("drawn"))
    assert list(never) == []
    assert scoring.NAMED_ONLY not in ALONE


@pytest.mark.parametrize(
    ("package", "peer"),
    [
        ("torchmetrics", recall.torchmetrics),
        pytest.param("ranx", recall.ranx, marks=pytest.mark.slow),  # compiled for a minute
        ("sklearn", recall.sklearn),
    ],
)
def test_peers_find_the_same_recall(tmp_path, package, peer):
    pytest.importorskip(package)
    recall.draw(tmp_path, 30, 160)
    ours = recall.ours(tmp_path)()
    assert 0 < ours["i2t_r1"] < ours["i2t_r10"]
    for key, value in peer(tmp_path)().items():
        assert value == pytest.approx(ours[key], abs=1e-6), key


def test_scikit_learn_finds_the_same_precision_and_area(tmp_path):
    pytest.importorskip("sklearn")
    grounding.draw(tmp_path, 8)
    assert grounding.our_maps(tmp_path)() == pytest.approx(grounding.sklearn_maps(tmp_path)())
    assert grounding.our_area(tmp_path)() == pytest.approx(grounding.sklearn_area(tmp_path)())


def test_drawn_texts_belong_to_pictures_in_order(tmp_path):
    draw(tmp_path, Shape(4, 10, 8))
    contest = large(tmp_path, Shape(4, 10, 8), name="toy", rounds=1)
    assert contest.floor == contest.programs[0].name
    assert all(goal.ours != goal.against for goal in contest.goals)
