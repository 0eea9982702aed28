"""Flickr30k Entities of the drawn world: marked words, chains, boxes where the paint is."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

import pytest

from vle_bench.data_prep.flickr30k_entities import boxes_of, marks_lost, phrases_of
from vle_bench.data_prep.run import Request, prepare
from vle_bench.records import Sample
from vle_bench.shards.read import iter_samples

MARK = re.compile(r"\[/EN#[0-9]+/[a-z]+ ([^\]]+)\]")


@pytest.fixture(scope="module")
def entities(world) -> dict[str, tuple[str, bytes]]:
    """Sentences and boxes of each picture."""
    folder = world.root / "flickr30k"
    return {
        path.stem: (path.read_text(), (folder / f"Annotations/{path.stem}.xml").read_bytes())
        for path in sorted((folder / "Sentences").iterdir())
    }


def test_sentences_without_their_marks_are_the_captions(world, entities):
    token = dict(line.split("\t") for line in world.lines("flickr30k/results_20130124.token"))
    assert 5 * len(entities) == len(token)
    for photo, (sentences, _) in entities.items():
        plain = MARK.sub(r"\1", sentences).splitlines()
        assert plain == [token[f"{photo}.jpg#{k}"] for k in range(5)]
        assert marks_lost(sentences) == 0


def test_every_chain_that_can_be_seen_has_boxes_and_no_other_has(entities):
    seen: set[str] = set()
    for sentences, xml in entities.values():
        chains = {one.entity: one.kinds for one in phrases_of(sentences)}
        boxed: defaultdict[str, int] = defaultdict(int)
        for one in ET.fromstring(xml).iter("object"):
            boxed[one.findtext("name")] += one.find("bndbox") is not None
        assert set(boxed) == chains.keys() - {"0"}
        assert {chain for chain, boxes in boxed.items() if not boxes} == {
            chain for chain, kinds in chains.items() if kinds == ("scene",)
        }
        assert not seen.intersection(boxed)
        seen.update(boxed)


def test_a_shirt_is_where_its_wearer_is(entities):
    worn = 0
    for sentences, xml in entities.values():
        found = boxes_of(xml)
        boxes = {box.entities[0]: box.xywh for box in found.boxes}
        width, height = found.size
        for x, y, w, h in boxes.values():
            assert 0 <= x < x + w <= width
            assert 0 <= y < y + h <= height
        pattern = r"\[/EN#(\d+)/people a person\] in \[/EN#(\d+)/clothing"
        for person, shirt in re.findall(pattern, sentences, re.IGNORECASE):
            x0, y0, w0, h0 = boxes[person]
            x1, y1, w1, h1 = boxes[shirt]
            assert x0 <= x1 < x1 + w1 <= x0 + w0
            assert y0 <= y1 < y1 + h1 <= y0 + h0
            worn += 1
    assert worn > 20


def test_phrase_boxes_reach_the_shards(world, tmp_path: Path):
    report = prepare(Request(dataset="flickr30k", raw=world.root, out=tmp_path)).report
    assert report.counts["box"].written > 50
    assert report.counts["box"].written == report.counts["box"].read
    assert sum(split.adjusted["entity without a box"] for split in report.splits.values()) > 0
    assert all(not split.absent_sources for split in report.splits.values())
    phrases = {
        box.phrase
        for sample in iter_samples(tmp_path / "flickr30k", "train", Sample)
        for box in sample.boxes
    }
    assert any("shirt" in phrase for phrase in phrases)
