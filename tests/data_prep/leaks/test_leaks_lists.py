"""Lists of evaluation pictures: read in every form, compared with what is known of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leak_world import run
from prep_world import put_zip

from vle_bench.catalog.datasets import load_dataset_manifest
from vle_bench.data_prep.leaks.evidence import Facts
from vle_bench.data_prep.leaks.index import EvaluationIndex, Owner, holds
from vle_bench.data_prep.leaks.lists import read_lists, unlike_known
from vle_bench.data_prep.leaks.rules import Rule, RuleList, all_rules, choose, in_force, settled
from vle_bench.data_prep.sources import SAMPLE_WORLD, RawTree
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.shards.report import ListReport


def rule(name: str) -> Rule:
    return in_force(name)[0]


def karpathy_file(raw: Path, dataset: str, images: dict[int, str]) -> None:
    """Karpathy's file of pictures with those splits."""
    rows = [
        {"cocoid": image, "filename": f"{image}.jpg", "split": split, "sentences": []}
        for image, split in images.items()
    ]
    path = raw / dataset / f"dataset_{dataset}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"images": rows, "dataset": dataset}))


def test_the_rules_know_what_the_data_sets_manifests_know():
    known = {
        (name, one.name): (one.count, one.sha256)
        for name in ("coco", "flickr30k")
        for one in load_dataset_manifest(name).id_lists
    }
    stated = {
        ("coco", "karpathy-val"): rule("karpathy-val").lists[0],
        ("coco", "karpathy-test"): rule("karpathy-test").lists[0],
        ("flickr30k", "entities-val"): rule("flickr30k-val").lists[1],
        ("flickr30k", "entities-test"): rule("flickr30k-test").lists[1],
    }
    assert {key: (one.count, one.sha256) for key, one in stated.items()} == {
        key: known[key] for key in stated
    }
    for name, split in (("vqav2-val", "val"), ("vqav2-test", "test")):
        expected = load_dataset_manifest("vqav2").expected(split, "images")
        assert expected is not None
        assert {one.count for one in rule(name).lists} == {expected.count}


def test_rules_name_files_that_the_manifests_know():
    for one in (one for each in all_rules().rules for one in each.lists):
        needs = {need.path for need in load_dataset_manifest(one.dataset).needs}
        assert one.file in needs or one.file.startswith("annotations/image_info"), one.place


def test_the_digest_is_of_the_sorted_ids_one_a_line(tmp_path: Path):
    karpathy_file(tmp_path, "coco", {10: "test", 9: "test", 7: "val", 3: "train"})
    read = read_lists(rule("karpathy-test"), RawTree(tmp_path))
    assert list(read.pictures) == ["9", "10"]
    assert read.reports[0].ids == 2
    assert read.reports[0].sha256 == hashlib.sha256(b"9\n10\n").hexdigest()
    assert list(read.sources) == ["coco/dataset_coco.json"]


def test_both_public_splits_of_flickr30k_count(tmp_path: Path):
    karpathy_file(tmp_path, "flickr30k", {1: "test", 2: "val"})
    (tmp_path / "flickr30k" / "test.txt").write_text("2\n36979\n\nnone\n")
    read = read_lists(rule("flickr30k-test"), RawTree(tmp_path))
    assert list(read.pictures) == ["1", "2", "36979"]
    assert read.lacking == ""
    (tmp_path / "flickr30k" / "dataset_flickr30k.json").unlink()
    half = read_lists(rule("flickr30k-test"), RawTree(tmp_path))
    assert (list(half.pictures), half.lacking) == (
        ["2", "36979"],
        "flickr30k/dataset_flickr30k.json absent",
    )


@pytest.mark.parametrize("place", ["coco", "flickr30k", "", "coco/caption_datasets"])
def test_karpathys_archive_is_a_list_of_both_wherever_it_lies(tmp_path: Path, place: str):
    karpathy_file(tmp_path, "coco", {9: "test"})
    karpathy_file(tmp_path, "flickr30k", {36979: "test"})
    files = {path.name: path for path in tmp_path.glob("*/dataset_*.json")}
    if place.endswith("caption_datasets"):  # unpacked into a folder of its name
        for name, path in files.items():
            (tmp_path / place).mkdir(exist_ok=True)
            path.rename(tmp_path / place / name)
    else:
        inside = {name: path.read_bytes() for name, path in files.items()}
        put_zip(tmp_path / place / "caption_datasets.zip", inside)
        for path in files.values():
            path.unlink()
    raw = RawTree(tmp_path)
    assert list(read_lists(rule("karpathy-test"), raw).pictures) == ["9"]
    found = read_lists(rule("flickr30k-test"), raw)
    assert (list(found.pictures), found.lacking) == (["36979"], "flickr30k/test.txt absent")


@pytest.mark.parametrize("name", ["vqav2-test", "vqav2-val"])
def test_any_list_of_a_whole_set_is_enough(drawn_world, tmp_path: Path, name: str):
    raw = Path(shutil.copytree(drawn_world(60), tmp_path / "raw"))
    found = []
    for one in rule(name).lists:
        read = read_lists(rule(name), RawTree(raw))
        assert read.lacking == ""
        assert [report.file for report in read.reports] == [one.place]
        found.append(list(read.pictures))
        for path in raw.rglob(Path(one.file).name):
            path.unlink()
    assert found[0]
    assert all(pictures == found[0] for pictures in found)
    places = " and ".join(one.place for one in rule(name).lists)
    assert read_lists(rule(name), RawTree(raw)).lacking == f"{places} absent"


def test_stills_are_named_by_their_ids_and_found_by_their_paths(tmp_path: Path):
    path = tmp_path / "vcr" / "val.jsonl"
    path.parent.mkdir(parents=True)
    rows = [
        {"img_id": "val-10", "img_fn": "a/b@1.jpg", "question": []},
        {"img_id": "val-9", "img_fn": "a/b@0.jpg", "question": []},
        {"img_id": "val-9", "img_fn": "a/b@0.jpg", "question": []},
    ]
    digest = hashlib.sha256(b"7\nval-10\nval-9\n").hexdigest()
    rows.append({"img_id": "7", "img_fn": "a/b@7.jpg", "question": []})
    for order in (rows, rows[::-1]):
        path.write_text("".join(json.dumps(row) + "\n" for row in order))
        read = read_lists(rule("vcr-val"), RawTree(tmp_path))
        assert read.pictures == {"val-10": "a/b@1.jpg", "val-9": "a/b@0.jpg", "7": "a/b@7.jpg"}
        assert read.reports[0].sha256 == digest


def test_a_list_without_a_picture_is_as_good_as_none(tmp_path: Path):
    karpathy_file(tmp_path, "flickr30k", {1: "test"})
    (tmp_path / "flickr30k" / "val.txt").write_text("\n")
    lacking = "flickr30k/dataset_flickr30k.json without a picture and flickr30k/val.txt empty"
    read = read_lists(rule("flickr30k-val"), RawTree(tmp_path))
    assert (read.pictures, read.lacking) == ({}, lacking)
    (tmp_path / "vqav2").mkdir()
    questions = tmp_path / "vqav2" / "v2_OpenEnded_mscoco_val2014_questions.json"
    questions.write_text('{"questions": []}')
    karpathy_file(tmp_path, "coco", {7: "val"})
    read = read_lists(rule("vqav2-val"), RawTree(tmp_path))
    assert (list(read.pictures), read.lacking) == (["7"], "")


def test_a_broken_list_is_an_error_and_no_empty_rule(tmp_path: Path):
    path = tmp_path / "coco" / "dataset_coco.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"images": [{"filename": "x"')
    with pytest.raises(DataProblem, match=r"dataset_coco\.json"):
        read_lists(rule("karpathy-val"), RawTree(tmp_path))


def test_a_list_of_another_length_is_told_and_strictness_refuses_it(drawn_world, tmp_path: Path):
    raw = Path(shutil.copytree(drawn_world(60), tmp_path / "raw"))
    (raw / SAMPLE_WORLD).unlink()  # what is drawn now counts as real
    report = run("sbu", raw, tmp_path / "out").report
    told = [text for text in report.splits["train"].warnings if "karpathy-test" in text]
    assert "pictures, 5,000 are known (karpathy_test_images.txt" in told[0]
    with pytest.raises(DataProblem, match="karpathy-test: coco/dataset_coco"):
        run("sbu", raw, tmp_path / "strict", strict=True)


def test_lists_of_the_sample_world_are_bound_to_no_count(drawn_world, tmp_path: Path):
    report = run("sbu", drawn_world(60), tmp_path / "out").report
    assert not [text for text in report.splits["train"].warnings if "known" in text]


def test_only_lists_of_another_count_or_of_other_ids_are_told():
    def told(count: int, digest: str) -> list[str]:
        report = ListReport(file="coco/list.json", ids=2, sha256="a" * 64)
        of = RuleList(
            dataset="coco", file="list.json", form="images", count=count, sha256=digest, source="us"
        )
        drawn = Rule(name="drawn", what="", dataset="coco", lists=(of,))
        return list(unlike_known(drawn, (report,)))

    for count in (0, 2):
        assert told(count, "") == told(count, "a" * 64) == []
        assert told(count, "b" * 64) == [
            "drawn: coco/list.json names other pictures than the known (us)"
        ]
    for digest in ("", "a" * 64, "b" * 64):
        assert told(1, digest) == ["drawn: coco/list.json names 2 pictures, 1 is known (us)"]


def test_the_real_lists_are_the_known_ones(reference: Path, tmp_path: Path):
    """Karpathy's and Entities' lists as published, in the files that users have."""
    data = reference / "data"
    images = {
        int(line.split()[1]): split
        for split in ("val", "test")
        for line in (
            (data / "peteanderson80+bottom-up-attention" / f"karpathy_{split}_images.txt")
            .read_text()
            .splitlines()
        )
    }
    karpathy_file(tmp_path, "coco", images)
    for split in ("val", "test"):
        entities = data / "BryanPlummer+flickr30k_entities" / f"{split}.txt"
        (tmp_path / "flickr30k").mkdir(exist_ok=True)
        (tmp_path / "flickr30k" / f"{split}.txt").write_bytes(entities.read_bytes())
    for name in ("karpathy-val", "karpathy-test", "flickr30k-val", "flickr30k-test"):
        read = read_lists(rule(name), RawTree(tmp_path))
        assert [one.sha256 for one in read.reports] == [
            one.sha256 for one in rule(name).lists if one.place in {r.file for r in read.reports}
        ]
        assert not list(unlike_known(rule(name), read.reports))
    moved = min(image for image, split in images.items() if split == "val")
    karpathy_file(tmp_path, "coco", images | {moved: "test"})
    read = read_lists(rule("karpathy-test"), RawTree(tmp_path))
    assert "5,001" in next(unlike_known(rule("karpathy-test"), read.reports))


def test_rules_in_force_are_one_text_in_a_fixed_order():
    default = settled("vg")
    assert default == settled("coco")
    assert settled("vcr") == ""
    assert choose("vg", with_rules=(), without=()) == ""
    both = choose("vg", with_rules=("vqav2-val",), without=("vcr-test", "vcr-val"))
    assert both == "karpathy-val+karpathy-test+vqav2-test+flickr30k-val+flickr30k-test+vqav2-val"
    names = [one.name for one in all_rules().rules]
    assert choose("sbu", with_rules=(), without=names) == "none"
    with pytest.raises(UsageProblem, match="no such rule"):
        in_force("karpathy")


FACTS = st.lists(
    st.builds(
        Facts,
        st.integers(0, 6),
        st.integers(0, 6),
        st.sampled_from([b"", *(bytes([byte]) * 32 for byte in (0, 1, 7, 255))]),
    ),
    max_size=12,
)


@given(FACTS, FACTS)
def test_the_index_finds_what_a_plain_search_finds(kept: list[Facts], asked: list[Facts]):
    index = EvaluationIndex((Owner(at % 3, str(at)), facts) for at, facts in enumerate(kept))
    for facts in asked:
        expected = [
            (kind, str(value))
            for kind, value in (("coco_id", facts.coco_id), ("flickr_id", facts.flickr_id))
            if value and value in {getattr(one, kind) for one in kept}
        ]
        assert list(index.ids_of(facts)) == expected
        for kind, value in expected:
            owners = [at for at, one in enumerate(kept) if str(getattr(one, kind)) == value]
            assert [int(owner.id) for owner in index.owners(kind, value)] == owners
        if facts.sha256:
            text = facts.sha256.hex()
            owners = [at for at, one in enumerate(kept) if one.sha256 == facts.sha256]
            assert holds(index.digests, text) == bool(owners)
            assert [int(owner.id) for owner in index.owners("bytes", text)] == owners
