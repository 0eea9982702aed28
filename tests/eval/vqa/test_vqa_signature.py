"""What the signature of a VQA score says."""

from __future__ import annotations

from vqa_world import write


def test_only_a_protocol_that_asks_a_vocabulary_names_it(score, world):
    write(world / "v.json", ["yes", "dog"])
    asked = {
        protocol: score("--vocabulary", "v.json", "--protocol", protocol).document["signature"]
        for protocol in ("official", "soft-label")
    }
    assert "|labels:raw|vocabulary:2-" in asked["soft-label"]
    assert "|dropped:2|" in asked["soft-label"]
    assert "labels" not in asked["official"]
    assert "vocabulary" not in asked["official"]
