"""Dataset manifests: complete, consistent, and honest about what is only recalled."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from vle_bench.catalog.datasets import (
    DatasetManifest,
    dataset_names,
    dataset_of_result,
    expected_count,
    id_list_digest,
    load_dataset_manifest,
    read_dataset_manifest,
    result_name,
)
from vle_bench.catalog.published import load_published
from vle_bench.errors import DataProblem, UsageProblem

PREPARED = ("cc3m", "coco", "flickr30k", "flickr30k-cn", "sbu", "vcr", "vg", "vqav2")
SCORED = ("coco-cn", "muge", "okvqa", "textvqa", "vizwiz", "vqav1")
"""Known to `vle-eval` by their counts; nothing prepares them."""
NAMES = tuple(sorted(PREPARED + SCORED))

SMALL = """
name = "{name}"
title = "T"
summary = "S"
homepage = "https://example.org"
schemes = ["a", "b"]
licences = []
citations = []
splits = [
    {{ name = "train" }},
    {{ name = "half", part_of = "train" }},
    {{ name = "odd", scheme = "b" }},
]
needs = [{need}]
counts = [{count}]
[[downloads]]
file = "f.zip"
{download}
"""
NEED = '{ path = "x.json", gives = "captions", splits = ["train"] }'
COUNT = '{ split = "train", kind = "images", count = 3, verified = "no", source = "me" }'
IDS = """[[id_lists]]
name = "i"
split = "train"
ids = "i"
count = 1
sha256 = ""
source = "me"
"""
DOWNLOAD = 'verified = "no"\nholds = ["x.json"]'


def small(folder: Path, *, file: str = "small", **changes: str) -> DatasetManifest:
    parts = {"name": "small", "need": NEED, "count": COUNT, "download": DOWNLOAD} | changes
    path = folder / f"{file}.toml"
    path.write_text(SMALL.format(**parts), encoding="utf-8")
    return read_dataset_manifest(path)


def test_every_dataset_of_the_contract_has_a_manifest() -> None:
    assert dataset_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_is_complete_and_cites_its_sources(name: str) -> None:
    manifest = load_dataset_manifest(name)
    assert manifest.name == name
    assert manifest.licences
    assert manifest.citations
    for licence in manifest.licences:
        assert licence.verified == "no" or licence.source
    for count in manifest.counts:
        assert count.source
        assert ("recalled" in count.source) <= (count.verified == "no")
    for download in manifest.downloads:
        assert download.url or download.note


@pytest.mark.parametrize("name", NAMES)
def test_every_needed_file_is_offered_by_a_download(name: str) -> None:
    manifest = load_dataset_manifest(name)
    for need in manifest.needs:
        owner = load_dataset_manifest(need.dataset or name)
        assert owner.download_of(need.path) is not None, need.path


@pytest.mark.parametrize("name", NAMES)
def test_every_prepared_split_needs_pictures_or_their_addresses_and_has_a_count(name: str) -> None:
    manifest = load_dataset_manifest(name)
    for scheme in manifest.schemes or ("",):
        for split in manifest.prepared_splits(scheme):
            gives = " ".join(need.gives for need in manifest.needs_of(split, scheme=scheme))
            assert "pictures" in gives or "addresses" in gives
            kinds = {count.kind for count in manifest.counts if count.split == split}
            assert kinds & {"images", "captions"}


def test_an_unknown_dataset_is_wrong_usage() -> None:
    with pytest.raises(UsageProblem) as caught:
        load_dataset_manifest("../labels/coco80")
    assert str(caught.value) == (
        "../labels/coco80: no such dataset. "
        "Known: cc3m, coco, coco-cn, flickr30k, flickr30k-cn, muge, okvqa, sbu, textvqa, vcr, vg, "
        "vizwiz, vqav1, vqav2."
    )


@pytest.mark.parametrize(
    ("dataset", "split", "kind", "count"),
    [
        ("vqav2", "train", "questions", 443_757),
        ("vqav2", "val", "questions", 214_354),
        ("vqav2", "test", "questions", 447_793),
        ("vqav2", "val", "answers", 2_143_540),
        ("vqav1", "val", "questions", 121_512),
        ("vizwiz", "val", "questions", 4_319),
        ("textvqa", "val", "questions", 5_000),
        ("okvqa", "val", "questions", 5_046),
        ("coco", "test", "captions", 25_010),
        ("coco-karpathy-5k", "test", "images", 5_000),
        ("flickr30k-cn", "test", "captions", 5_000),
        ("coco-cn", "test", "images", 1_000),
        ("muge", "val", "captions", 5_008),
        ("vcr", "val", "questions", 26_534),
        ("cc3m", "train", "captions", 3_318_333),
        ("vg", "train", "images", 108_077),
    ],
)
def test_expected_counts_are_looked_up(dataset: str, split: str, kind: str, count: int) -> None:
    found = expected_count(dataset, split, kind)
    assert found is not None
    assert found.count == count


@pytest.mark.parametrize(
    ("dataset", "split", "kind"),
    [
        ("muge", "val", "questions"),
        ("vqav2", "dev", "questions"),
        ("vqav2", "val", "captions"),
        ("coco-karpathy-1k", "test", "images"),
    ],
)
def test_where_nothing_is_stated_nothing_is_expected(dataset: str, split: str, kind: str) -> None:
    assert expected_count(dataset, split, kind) is None


def test_a_scheme_chooses_its_own_counts_needs_and_splits() -> None:
    manifest = load_dataset_manifest("coco")
    assert manifest.split_names() == ("train", "restval", "val", "test")
    assert manifest.split_names("2017") == ("train", "val")
    of_val = {
        scheme: expected_count("coco", "val", "images", scheme=scheme) for scheme in ("", "2014")
    }
    assert [entry and entry.count for entry in of_val.values()] == [5_000, 40_504]
    paths = [need.path for need in manifest.needs_of("val", scheme="2017") if need.required]
    assert paths == ["val2017/", "annotations/captions_val2017.json"]


def test_the_karpathy_split_parts_all_of_coco_2014() -> None:
    def images(scheme: str) -> int:
        manifest = load_dataset_manifest("coco")
        found = [
            manifest.expected(split, "images", scheme=scheme)
            for split in manifest.split_names(scheme)
        ]
        return sum(entry.count for entry in found if entry)

    assert images("karpathy") == images("2014") == 123_287
    assert images("2017") == 123_287


def test_ten_answers_belong_to_every_question() -> None:
    for split in ("train", "val"):
        answers = expected_count("vqav2", split, "answers")
        questions = expected_count("vqav2", split, "questions")
        assert answers is not None
        assert questions is not None
        assert answers.count == 10 * questions.count


def test_val_of_coco_images_of_vqav2_come_from_cocos_folder() -> None:
    manifest = load_dataset_manifest("vqav2")
    pictures = [need for need in manifest.needs_of("val") if need.gives == "pictures"]
    assert [(need.dataset, need.path) for need in pictures] == [("coco", "val2014/")]
    assert manifest.prepared_splits() == ("train", "val", "test")
    assert manifest.download_of("nowhere.json") is None
    offered = manifest.download_of("v2_mscoco_val2014_annotations.json")
    assert offered is not None
    assert offered.file == "v2_Annotations_Val_mscoco.zip"


def test_parts_of_a_split_know_what_they_are_parts_of() -> None:
    manifest = load_dataset_manifest("vqav2")
    assert manifest.enclosing("test-dev") == ("test-dev", "test")
    assert manifest.enclosing("val") == ("val",)
    assert manifest.enclosing("unheard") == ("unheard",)


def test_every_published_dataset_name_of_coco_is_declared() -> None:
    names = {score.dataset for score in load_published() if score.dataset.startswith("coco-k")}
    assert names == {"coco-karpathy-5k", "coco-karpathy-1k"}
    assert {dataset_of_result(name) for name in names} == {"coco"}
    assert dataset_of_result("gd-vcr") == "gd-vcr"
    assert result_name("vqav2") is None


def test_the_digest_does_not_depend_on_order_and_sorts_by_value() -> None:
    expected = hashlib.sha256(b"9\n10\n").hexdigest()
    assert id_list_digest([9, 10]) == id_list_digest([10, 9]) == expected


def _ids(path: Path) -> list[int]:
    stems = [line.split()[-1].rpartition("/")[2] for line in path.read_text().splitlines()]
    return [int(stem.removesuffix(".jpg").removesuffix(".xml")) for stem in stems]


def test_the_digests_equal_those_of_the_real_lists(reference: Path) -> None:
    data = reference / "data"
    attention, entities = "peteanderson80+bottom-up-attention", "BryanPlummer+flickr30k_entities"
    files = {
        ("coco", "karpathy-val"): data / attention / "karpathy_val_images.txt",
        ("coco", "karpathy-test"): data / attention / "karpathy_test_images.txt",
        ("vg", "bottom-up-attention-val"): data / attention / "val.txt",
        ("vg", "bottom-up-attention-test"): data / attention / "test.txt",
        ("flickr30k", "entities-train"): data / entities / "train.txt",
        ("flickr30k", "entities-val"): data / entities / "val.txt",
        ("flickr30k", "entities-test"): data / entities / "test.txt",
    }
    found = {key: _ids(path) for key, path in files.items()}
    minival = json.loads((data / "lmb-freiburg+ovqa" / "minival_ids.json").read_text())
    found["vqav2", "minival"] = [int(number) for number in minival]
    stated = {
        (name, ids.name): (ids.count, ids.sha256)
        for name in NAMES
        for ids in load_dataset_manifest(name).id_lists
    }
    assert {key: (len(ids), id_list_digest(ids)) for key, ids in found.items()} == stated


def test_a_new_dataset_is_one_file(tmp_path: Path) -> None:
    manifest = small(tmp_path)
    assert manifest.default_scheme == "a"
    assert manifest.split_names() == ("train", "half")
    assert manifest.split_names("b") == ("train", "half", "odd")
    assert manifest.expected("train", "images", scheme="b") == manifest.counts[0]
    assert manifest.expected("half", "images") is None


def test_a_manifest_is_called_like_its_dataset(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match=r"describes small; call the file small\.toml"):
        small(tmp_path, file="big")


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        (
            "need",
            '{ path = "x.json", gives = "captions", splits = ["tain"] }',
            "no such split: tain",
        ),
        (
            "need",
            '{ path = "x.json", gives = "captions", splits = [], scheme = "c" }',
            "no such scheme: c",
        ),
        (
            "need",
            '{ path = "../x.json", gives = "captions", splits = [] }',
            'path is "../x.json", a path below the raw folder was expected',
        ),
        (
            "need",
            '{ path = "/x.json", gives = "captions", splits = [] }',
            'path is "/x.json", a path below the raw folder was expected',
        ),
        (
            "count",
            '{ split = "train", kind = "images", count = -1, verified = "no", source = "me" }',
            "count may not be negative",
        ),
        (
            "download",
            'verified = "no"\nurl = "ftp://x"',
            'url is "ftp://x", an http or https address was expected',
        ),
        ("download", 'verified = "yes"', "a verified address needs its source"),
        ("download", 'verified = "no"\nsize = -1', "size may not be negative; 0 is unknown"),
        (
            "download",
            'verified = "no"\nsha256 = "ABC"',
            'sha256 must be 64 lower-case hex digits; "" is unknown',
        ),
        (
            "download",
            'verified = "no"\nsize = 5',
            "a size or sha256 needs its checksum_source",
        ),
        (
            "download",
            f'verified = "no"\n{IDS}',
            "sha256 must be 64 lower-case hex digits",
        ),
    ],
)
def test_a_manifest_that_cannot_be_right_is_refused(
    tmp_path: Path, part: str, text: str, said: str
) -> None:
    with pytest.raises(DataProblem) as caught:
        small(tmp_path, **{part: text})
    assert str(caught.value).splitlines()[0].endswith(said)
