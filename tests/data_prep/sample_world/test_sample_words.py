"""What is said about pictures: true, and as far as can be of no other picture."""

from __future__ import annotations

import pytest

from vle_bench.data_prep.sample_world.cast import PictureName
from vle_bench.data_prep.sample_world.language.annotators import (
    ask_ten,
    colour,
    hour,
    number,
    thing,
    yes_or_no,
)
from vle_bench.data_prep.sample_world.language.captions import Captioner
from vle_bench.data_prep.sample_world.language.mentions import claims_of
from vle_bench.data_prep.sample_world.language.nouns import with_article
from vle_bench.data_prep.sample_world.language.scene_graph import scene_graph
from vle_bench.data_prep.sample_world.layout import stage_picture
from vle_bench.data_prep.sample_world.picture import facts_of
from vle_bench.data_prep.sample_world.streams import dealt, stream

COUNT = 160


@pytest.fixture(scope="module")
def scenes():
    return [
        facts_of(stage_picture(PictureName(2, "words", number, "photo"))) for number in range(COUNT)
    ]


@pytest.fixture(scope="module")
def captioner(scenes):
    return Captioner(2, "words", scenes)


@pytest.mark.parametrize("style", ["observer", "alt text", "album", "chinese"])
def test_captions_claim_only_what_is_so(captioner, scenes, style):
    for index, scene in enumerate(scenes):
        facts = claims_of(scene)
        for caption in captioner.write(index, 5, style):
            assert caption.claims <= facts
            assert index in captioner.fits(caption)


def test_nearly_every_caption_fits_its_own_picture_only(captioner):
    own = [
        captioner.fits(caption) == {index}
        for index in range(COUNT)
        for caption in captioner.write(index, 5, "observer")
    ]
    assert sum(own) / len(own) > 0.95


def test_captions_of_one_picture_differ(captioner):
    differing = sum(
        len({caption.text for caption in captioner.write(index, 5, "observer")}) >= 4
        for index in range(COUNT)
    )
    assert differing > 0.85 * COUNT


def test_alt_texts_are_lower_case_words_with_marks_apart(captioner):
    for index in range(40):
        (caption,) = captioner.write(index, 1, "alt text")
        assert caption.text == caption.text.lower()
        assert "  " not in caption.text


def test_the_right_answer_is_strictly_the_commonest():
    truths = [yes_or_no(True), yes_or_no(False), number(1), number(4), colour("red"),
              thing("dog", ("dog", "cat")), hour(3), hour(12)]  # fmt: skip
    for k, truth in enumerate(truths * 60):
        given = [one.answer for one in ask_ten(truth, stream(0, "ten", k))]
        counts = sorted(
            {answer: given.count(answer) for answer in given}.items(), key=lambda e: -e[1]
        )
        assert counts[0][0] in (truth.answer, *truth.variants)
        assert counts[0][1] >= 5
        assert all(count < counts[0][1] for _, count in counts[1:])
        assert truth.answer not in truth.slips


def test_articles_follow_the_sound():
    assert with_article("umbrella") == "an umbrella"
    assert with_article("blue umbrella") == "a blue umbrella"


def test_decks_deal_every_value_equally_often():
    dealt_out = [dealt(4, "moods", "abcd", k) for k in range(400)]
    assert {dealt_out.count(value) for value in "abcd"} == {100}
    assert dealt_out[:4] != dealt_out[4:8] or dealt_out[4:8] != dealt_out[8:12]


def test_scene_graphs_speak_of_boxes_inside_the_picture(scenes):
    for index, scene in enumerate(scenes[:60]):
        graph = scene_graph(scene, stream(0, "graph", index))
        assert graph.nodes
        for node in graph.nodes:
            assert node.extent.within(scene.width, scene.height), node
        for link in graph.links:
            assert 0 <= link.subject < len(graph.nodes)
            assert 0 <= link.object < len(graph.nodes)
            assert link.subject != link.object
        phrases = [region.phrase for region in graph.regions]
        assert all(phrases)


def test_what_is_held_touches_the_hand_that_holds_it(scenes):
    seen = set()
    for scene in scenes:
        for held in scene.things:
            if held.held_by < 0:
                continue
            bearer = scene.things[held.held_by]
            assert bearer.category == "person"
            seen.add(held.category)
            if held.category != "kite":
                assert held.extent.touches(bearer.extent, margin=2.0)
    assert len(seen) >= 5


def test_what_stands_on_something_stands_on_its_top(scenes):
    riders = [(s, t) for s in scenes for t in s.things if t.on >= 0]
    assert riders
    for scene, rider in riders:
        seat = scene.things[rider.on]
        assert rider.extent.y1 == pytest.approx(seat.extent.y0, abs=0.1)
        assert seat.extent.x0 <= rider.extent.x0
        assert rider.extent.x1 <= seat.extent.x1
