"""Retrieval references: three formats, one order, and what each says of itself."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vle_bench.catalog.datasets import ExpectedCount
from vle_bench.errors import DataProblem
from vle_bench.eval.references import check_expected_count, part_note, with_part
from vle_bench.eval.requests import RetrievalRequest
from vle_bench.eval.retrieval.gold import gold_of
from vle_bench.eval.retrieval.references import References, read_references
from vle_bench.eval.scored import ReferenceFacts

CAPTIONS = {
    "info": {"description": "COCO 2014 Dataset", "year": 2014},
    "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
    "annotations": [
        {"image_id": 2, "id": 20, "caption": "second first"},
        {"image_id": 1, "id": 10, "caption": "one"},
        {"image_id": 2, "id": 21, "caption": "again"},
    ],
}
KARPATHY = {
    "dataset": "coco",
    "images": [
        {"split": "train", "filename": "z.jpg", "cocoid": 7,
         "sentences": [{"sentid": 1, "raw": "x"}]},
        {"split": "test", "filename": "COCO_val2014_000000000042.jpg", "cocoid": 42,
         "filepath": "val2014", "imgid": 0, "sentids": [5, 4],
         "sentences": [{"sentid": 5, "raw": "a b", "tokens": ["a", "b"]},
                       {"sentid": 4, "raw": "c"}]},
        {"split": "test", "filename": "1000092795.jpg", "sentences": [{"sentid": 9, "raw": "d"}]},
        {"split": "test", "filename": "silent.jpg", "sentences": []},
    ],
}  # fmt: skip


def read(path: Path, content: Any, **fields: str) -> References:
    path.write_text(json.dumps(content) if not isinstance(content, str) else content)
    return read_references(RetrievalRequest(texts=str(path), **fields))


def test_texts_keep_the_order_of_the_file_and_pictures_that_of_appearance(tmp_path) -> None:
    lines = (
        '{"text_id": 3, "image_ids": [8, 2]}\n{"text_id": "1", "text": "é", "image_ids": ["9"]}\n'
    )
    found = read(tmp_path / "test_texts.jsonl", lines)
    assert [(text.text_id, text.image_ids, text.length) for text in found.texts] == [
        ("3", ("8", "2"), 0),
        ("1", ("9",), 1),
    ]
    assert gold_of(found.texts).image_ids == ("8", "2", "9")
    assert (found.facts.dataset, found.facts.split) == ("unnamed", "test")


def test_the_split_of_a_texts_file_is_read_from_its_name_only_where_it_is_one(tmp_path) -> None:
    line = '{"text_id": 3, "image_ids": [8]}'
    assert read(tmp_path / "valid_texts.jsonl", line).facts.split == "val"
    assert read(tmp_path / "my_valid_texts.jsonl", line).facts.split == ""
    found = read(tmp_path / "valid_texts.jsonl", line, split="dev", dataset="mine")
    assert (found.facts.dataset, found.facts.split) == ("mine", "val")


def test_coco_captions_stand_in_the_order_of_their_annotations(tmp_path) -> None:
    found = read(tmp_path / "captions_val2014.json", CAPTIONS)
    assert [text.text_id for text in found.texts] == ["20", "10", "21"]
    assert gold_of(found.texts).image_ids == ("2", "1")
    assert (found.facts.dataset, found.facts.split) == ("coco", "val")
    assert any("of 40,504 images of coco val" in note for note in found.notes)


def test_karpathy_takes_the_test_split_unless_another_is_named(tmp_path) -> None:
    found = read(tmp_path / "dataset_coco.json", KARPATHY)
    assert [(text.text_id, text.image_ids) for text in found.texts] == [
        ("5", ("42",)),
        ("4", ("42",)),
        ("9", ("1000092795",)),
    ]
    assert (found.facts.dataset, found.facts.split) == ("coco", "test")
    assert any("3 of 25,010 captions of coco test" in note for note in found.notes)
    other = read(tmp_path / "dataset_coco.json", {**KARPATHY, "dataset": "mine"}, split="train")
    assert [text.image_ids for text in other.texts] == [("7",)]
    assert other.notes == ()


def test_a_named_split_must_be_whole_except_in_a_sample_world(tmp_path) -> None:
    from vle_bench.errors import DataProblem

    with pytest.raises(DataProblem, match="2 images, 5,000 were expected of coco test"):
        read(tmp_path / "dataset_coco.json", KARPATHY, split="test")
    (tmp_path / "sample_world.json").write_text("{}")
    found = read(tmp_path / "dataset_coco.json", KARPATHY, split="test")
    assert found.facts.sample
    assert found.notes == ()


@pytest.mark.parametrize(("scheme", "whole"), [("", 5000), ("karpathy", 5000), ("2014", 40_504)])
def test_whole_is_what_the_scheme_of_the_pictures_calls_whole(scheme, whole) -> None:
    """COCO has a val split of 40,504 pictures, and Karpathy's one of 5,000."""
    facts = ReferenceFacts(path="c.json", sha256="", dataset="coco", split="val")
    for found in (5000, 40_504):
        counted = {"kind": "images", "found": found, "scheme": scheme}
        told = "" if found == whole else f"{found:,} of {whole:,} images"
        assert with_part(facts, **counted).part == told
        (note,) = part_note(facts=facts, **counted) or ("Scored on ",)
        assert note.startswith(f"Scored on {told}")
        named = {"dataset": "coco", "named_split": "val2014", "place": "c.json", "sample": False}
        with pytest.raises(DataProblem) if told else nullcontext():
            check_expected_count(**named, **counted)


def test_pictures_decide_what_is_a_part_and_captions_are_told(tmp_path, monkeypatch) -> None:
    """Counted by the scheme that the file's name says, wherever it is asked."""
    counts = {"images": 2, "captions": 3}

    def expected(dataset: str, split: str, kind: str, *, scheme: str = "") -> ExpectedCount:
        count = counts[kind] if (dataset, split, scheme) == ("coco", "val", "2014") else 99
        return ExpectedCount(split=split, kind=kind, count=count, verified="yes", source="here")

    monkeypatch.setattr("vle_bench.catalog.datasets.expected_count", expected)
    whole = read(tmp_path / "captions_val2014.json", CAPTIONS, split="val")
    assert (whole.facts.part, whole.notes) == ("", ())
    counts["captions"] = 4
    fewer = read(tmp_path / "captions_val2014.json", CAPTIONS)
    assert fewer.facts.part == ""
    (note,) = fewer.notes
    assert note.startswith("Scored on 3 of 4 captions of coco val.")


def test_more_pictures_than_the_split_has_are_beside_no_published_score(vle_eval, tmp_path) -> None:
    lines = (f'{{"text_id": {at}, "image_ids": [{at}]}}\n' for at in range(1000))
    (tmp_path / "test_texts.jsonl").write_text("".join(lines))
    (tmp_path / "i.txt").write_text("".join(f"{at}\n" for at in range(1001)))
    np.save(tmp_path / "S.npy", np.eye(1001, 1000))
    np.save(tmp_path / "own.npy", np.eye(1000))
    given = ("retrieval", "--texts", tmp_path / "test_texts.jsonl", "--json", "--resamples", 0)
    more = ("--scores", tmp_path / "S.npy", "--image-ids", tmp_path / "i.txt")
    for dataset, scores, part in (
        ("flickr30k", more, "a gallery of 1,001 pictures"),
        ("flickr30k", ("--scores", tmp_path / "own.npy"), ""),
        ("muge", more, ""),  # nobody counted its pictures, and not all have a text
        ("mine", more, ""),
    ):
        document = vle_eval(*given, *scores, "--dataset", dataset).document
        assert document["part"] == part
        if dataset == "flickr30k":
            assert any(row["comparable"] for row in document["published"]) == (not part)


def test_a_part_of_muge_is_beside_no_published_score(vle_eval, tmp_path) -> None:
    """Its pictures are not counted, so its texts decide."""
    text = '{"text_id": 1, "text": "x", "image_ids": [5]}\n'
    (tmp_path / "valid_texts.jsonl").write_text(text)
    (tmp_path / "L.jsonl").write_text('{"text_id": 1, "image_ids": [5]}\n')
    asked = ("retrieval", "--texts", tmp_path / "valid_texts.jsonl", "--dataset", "muge",
             "--predictions", tmp_path / "L.jsonl", "--json")  # fmt: skip
    ran = vle_eval(*asked)
    assert "Scored on 1 of 5,008 captions of muge val" in ran.err
    published = ran.document["published"]
    assert published
    assert not any(row["comparable"] for row in published)
    named = vle_eval(*asked, "--split", "valid")
    assert named.code == 3
    assert "1 captions, 5,008 were expected of muge val" in named.err


def test_sample_captions_say_so_themselves(tmp_path) -> None:
    marked = {**CAPTIONS, "info": {"description": "VLE bench sample world"}}
    assert read(tmp_path / "captions_val2014.json", marked).facts.sample


PICTURE = '{"split": "test", "cocoid": 1, "sentences": []}'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "no texts in it"),
        ('{"text_id": 1, "image_ids": []}', "none of its 1 texts names a picture"),
        ('{"text_id": 1, "image_ids": [1]}\n{"text_id": "1", "image_ids": [2]}',
         "1 text_id more than once: 1"),
        ('{"text_id": 1, "image_ids": 1}\n{"text_id": 2, "image_ids": [2]}', "f.json:1: Expected"),
        ('{"text_id": 1.5, "image_ids": [1]}', "Expected `int | str`, got `float`"),
        ('{"text_id": true, "image_ids": [1]}', "Expected `int | str`, got `bool`"),
        ('{"text_id": "", "image_ids": [1]}', "'' is no id"),
        ("{}", "an object with no keys"),
        ('{"foo": 1, "bar": 2}', "an object with bar, foo"),
        ('{"annotations": {}}', "f.json: annotations: Expected `array`, got `object`"),
        ('{"annotations": [{"id": 1}]}', "missing required field `image_id`"),
        ('{"images": [{"split": "val", "sentences": []}]}', "no picture of split test; it has val"),
        ('{"images": [{"split": "test", "sentences": []}]}', "neither cocoid nor filename"),
        ('{"images": [{"split": "test", "cocoid": 1', "the JSON ends in the middle"),
        (f'{{"images": [{PICTURE}, {PICTURE}]}}',
         "1 picture more than once: 1"),
        ("a,b\n1,2\n", "a csv file. Expected retrieval references"),
        ('{"annotations": ' + "[" * 100_000, "f.json"),
    ],
)  # fmt: skip
def test_references_that_are_wrong_are_told(vle_eval, tmp_path, content, told) -> None:
    path = tmp_path / "f.json"
    path.write_text(content)
    np.save(tmp_path / "S.npy", np.zeros((1, 1)))
    ran = vle_eval("retrieval", "--texts", path, "--scores", tmp_path / "S.npy")
    assert ran.code == 3
    assert told in ran.err
    assert len(ran.err.splitlines()) <= 10
    assert "Traceback" not in ran.err
