"""Annotation files are unpacked and hashed once, however many splits ask for them."""

from __future__ import annotations

import os
from pathlib import Path

from prep_world import put, put_zip

from vle_bench.data_prep import sources
from vle_bench.data_prep.sources import RawTree

PLAIN = "annotations/captions_val2014.json"


def counted(monkeypatch, name: str) -> list[object]:
    calls: list[object] = []
    make = getattr(sources, name)

    def noting(place: object, **settings: object) -> object:
        calls.append(place)
        return make(place, **settings)

    monkeypatch.setattr(sources, name, noting)
    return calls


def test_a_member_of_a_zip_is_unpacked_once(tmp_path: Path, monkeypatch):
    calls = counted(monkeypatch, "member_content")
    put_zip(tmp_path / "coco/annotations_trainval2014.zip", {PLAIN: b'{"x": [1]}'})
    raw = RawTree(tmp_path)
    first, second = (raw.document("coco", PLAIN) for _ in range(2))
    assert first is not None
    assert second is not None
    assert (first.data, first.sha256) == (second.data, second.sha256)
    assert len(calls) == 1


def test_two_documents_of_one_file_are_read_side_by_side(tmp_path: Path, monkeypatch):
    calls = counted(monkeypatch, "file_content")
    put(tmp_path / "coco" / PLAIN, b'{"a": [1, 2], "b": [3]}')
    raw = RawTree(tmp_path)
    one, two = (raw.document("coco", PLAIN) for _ in range(2))
    assert one is not None
    assert two is not None
    first = one.rows("b", int)
    second = two.rows("a", int)
    assert (list(second), list(first)) == ([[1, 2]], [[3]])
    assert len(calls) == 1


def test_a_file_that_changed_meanwhile_is_read_again(tmp_path: Path):
    path = tmp_path / "coco" / PLAIN
    put(path, b'{"a": [1]}')
    raw = RawTree(tmp_path)
    before = raw.document("coco", PLAIN)
    path.unlink()
    put(path, b'{"a": [2]}')
    os.utime(path, ns=(1, 1))
    after = raw.document("coco", PLAIN)
    assert before is not None
    assert after is not None
    assert (before.data, after.data) == (b'{"a": [1]}', b'{"a": [2]}')
    assert before.sha256 != after.sha256
