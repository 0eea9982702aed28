"""A subset is a whole dataset again; a difference names every sample and field that differs."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from vle_bench.data_prep import subset
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.difference import _shown as shown_fields
from vle_bench.data_prep.difference import changed_fields, difference
from vle_bench.data_prep.run import Request, prepare
from vle_bench.data_prep.scripts import language_of
from vle_bench.data_prep.subset import Filters
from vle_bench.data_prep.verify import verify
from vle_bench.records import VqaSample
from vle_bench.shards.index import read_samples, read_skipped
from vle_bench.shards.read import SplitReader, iter_with_pictures
from vle_bench.shards.report import read_report
from vle_bench.shards.writer import write_shard


def run(raw: Path, out: Path, **parameters) -> Path:
    settings = Parameters(**({"samples_per_shard": 2, "min_answer_count": 2} | parameters))
    prepare(Request(dataset="vqav2", raw=raw, out=out, parameters=settings))
    return out / "vqav2"


@pytest.fixture
def done(small, out: Path) -> Path:
    """Widths are 40 + id: 51 to 57 in train, 61 to 65 in val, 71 and 72 in test; height 48."""
    small.caption("val", 22, 221, "一只狗在草地上跑。")
    small.caption("val", 24, 241, "两个人。")
    return run(small.write(), out)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def contents(folder: Path, split: str) -> dict[str, tuple[VqaSample, bytes]]:
    return {one.key: (one, data) for one, data in iter_with_pictures(folder, split, VqaSample)}


def test_a_subset_keeps_keys_records_and_pictures_and_fills_its_shards(done, tmp_path, prep):
    assert prep("subset", done, "--out", tmp_path / "part", "--min-side", 48, "--max-side", 62) == 0
    part = tmp_path / "part/vqav2"
    assert verify(part).findings == ()
    report = read_report(part)
    written = {name: split.counts["image"].written for name, split in report.splits.items()}
    assert written == {"train": 7, "val": 2, "test": 0}
    assert [shard.samples for shard in report.splits["train"].shards] == [2, 2, 2, 1]
    kept, original = contents(part, "val"), contents(done, "val")
    assert kept == {key: original[key] for key in ("vqav2-000000000021", "vqav2-000000000022")}
    assert report.splits["val"].counts["image"].skipped == {"longer side above 62": 3}


def test_the_books_of_a_subset_begin_where_those_of_the_original_end(done, tmp_path, prep, capsys):
    """Whoever filters everything away is told, and the books are closed all the same."""
    assert prep("subset", done, "--out", tmp_path / "part", "--min-side", 49) == 3
    assert f"no sample of {done} passes the filters" in capsys.readouterr().err
    report = read_report(tmp_path / "part/vqav2")
    before = read_report(done)
    for kind, counts in report.counts.items():
        assert counts.read == before.counts[kind].written
        assert (counts.written, counts.balances()) == (0, True)
    rows = read_skipped(tmp_path / "part/vqav2/skipped.parquet")
    assert len(rows) == sum(counts.read for counts in report.counts.values())
    assert {row.reason for row in rows} == {"shorter side below 49"}
    assert verify(tmp_path / "part/vqav2").findings == ()


def test_captions_of_other_languages_go_and_samples_without_one_too(done, tmp_path, prep):
    assert prep("subset", done, "--out", tmp_path / "zh", "--caption-language", "zh") == 0
    kept = contents(tmp_path / "zh/vqav2", "val")
    assert {key[-2:]: [c.text for c in one.captions] for key, (one, _) in kept.items()} == {
        "22": ["一只狗在草地上跑。"],
        "24": ["两个人。"],
    }
    counts = read_report(tmp_path / "zh/vqav2").splits["val"].counts
    assert counts["image"].skipped == {"no caption in zh": 3}
    assert counts["caption"].skipped == {"caption not in zh": 2, "no caption in zh": 3}
    both = ("--caption-language", "zh", "--caption-language", "en", "--split", "val")
    assert prep("subset", done, "--out", tmp_path / "all", *both) == 0
    assert contents(tmp_path / "all/vqav2", "val") == contents(done, "val")


def test_a_key_file_chooses_samples_and_its_strangers_are_named(done, tmp_path, prep, capsys):
    file = tmp_path / "keys.txt"
    file.write_text("vqav2-000000000024\n\nvqav2-000000000011\n")
    assert prep("subset", done, "--out", tmp_path / "part", "--key-file", file) == 0
    part = tmp_path / "part/vqav2"
    assert [row.key for row in read_samples(part / "samples.parquet")] == [
        "vqav2-000000000011",
        "vqav2-000000000024",
    ]
    held_out = (part / "splits/trainable_val.txt").read_text().split()
    held_out += (part / "splits/rest_val.txt").read_text().split()
    assert held_out == ["24"]
    labels = "answers/label2answer.json"
    assert (part / labels).read_bytes() == (done / labels).read_bytes()
    file.write_text("vqav2-000000000024\nvqav2-1\n")
    assert prep("subset", done, "--out", tmp_path / "other", "--key-file", file) == 3
    assert "vqav2-1" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_key_file_may_begin_as_windows_begins_it(done, tmp_path, prep):
    file = tmp_path / "keys.txt"
    file.write_bytes(b"\xef\xbb\xbfvqav2-000000000022\r\nvqav2-000000000011\r\n")
    assert prep("subset", done, "--out", tmp_path / "part", "--key-file", file) == 0
    assert set(contents(tmp_path / "part/vqav2", "val")) == {"vqav2-000000000022"}


def test_sides_that_no_picture_can_have_are_wrong_usage(done, tmp_path, prep):
    assert prep("subset", done, "--out", tmp_path / "part", "--min-side", 9, "--max-side", 8) == 2
    assert not (tmp_path / "part").exists()


def test_the_same_filters_give_the_same_bytes_and_may_be_run_again(done, tmp_path, prep):
    for out in ("one", "two", "one"):
        assert prep("subset", done, "--out", tmp_path / out, "--max-side", 64) == 0
    assert tree(tmp_path / "one/vqav2") == tree(tmp_path / "two/vqav2")


def test_a_subset_overwrites_nothing_else(small, done, tmp_path, prep, capsys):
    before = tree(done)
    assert prep("subset", done, "--out", done.parent, "--max-side", 64) == 2
    assert prep("subset", done, "--out", done, "--max-side", 64) == 2
    assert prep("subset", done, "--out", done / "parts/small", "--max-side", 64) == 2
    assert verify(done).findings == ()
    assert prep("subset", done, "--out", tmp_path / "part", "--max-side", 64) == 0
    assert prep("subset", done, "--out", tmp_path / "part", "--max-side", 63) == 2
    run(small.root, tmp_path / "again", seed=5)
    assert prep("subset", done, "--out", tmp_path / "again", "--max-side", 64) == 2
    assert tree(done) == before
    run_again = ("run", "vqav2", "--raw", small.root, "--out", tmp_path / "part")
    assert prep(*run_again) == 2
    assert "holds a subset" in capsys.readouterr().err
    part = tree(tmp_path / "part/vqav2")
    assert prep(*run_again, "--slice", "0/2") == 2
    assert tree(tmp_path / "part/vqav2") == part
    assert prep("repair", tmp_path / "part", "--raw", small.root) == 2


def test_what_a_killed_copy_left_of_other_splits_is_not_left_among_new_ones(
    done, tmp_path, prep, capsys
):
    copy = ("subset", done, "--out", tmp_path / "part")
    assert prep(*copy, "--split", "val") == 0
    (tmp_path / "part/vqav2/report.json").unlink()  # it is written last
    assert prep(*copy, "--split", "train") == 2
    assert "holds another build of vqav2" in capsys.readouterr().err
    assert prep(*copy, "--split", "val") == 0
    assert prep("verify", tmp_path / "part/vqav2") == 0


def test_a_damaged_original_is_not_copied(done, tmp_path, prep, capsys):
    shard = done / "val/vqav2-val-000001.tar"
    row = next(r for r in read_samples(done / "samples.parquet") if r.shard == shard.name)
    data = bytearray(shard.read_bytes())
    data[row.image_offset + 40] ^= 1
    shard.write_bytes(data)
    assert prep("subset", done, "--out", tmp_path / "part", "--split", "val") == 3
    assert row.key in capsys.readouterr().err
    assert not (tmp_path / "part/vqav2/report.json").exists()


def test_a_corpus_or_split_that_is_not_there_is_told(done, tmp_path, prep):
    assert prep("subset", done.parent, "--out", tmp_path / "x", "--corpus", "coco") == 3
    assert prep("subset", done, "--out", tmp_path / "x", "--split", "restval") == 3


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A dog.", "en"),
        ("一只狗", "zh"),
        ("собака", None),
        ("", None),
        ("!?", None),
        ("犬 dog", "zh"),
    ],
)
def test_languages_are_told_by_script(text: str, language: str | None):
    assert language_of(text) == language


def test_two_builds_of_the_same_are_equal_however_they_are_sharded(
    small, done, tmp_path, prep, capsys
):
    other = run(small.root, tmp_path / "b", samples_per_shard=5)
    assert prep("diff", done, other) == 0
    assert "the same 14 samples" in capsys.readouterr().err
    assert difference(done, other).elsewhere > 0
    assert prep("diff", done, done) == 0


def test_every_difference_is_named_with_its_fields(small, done, tmp_path, prep, capsys):
    small.captions["val"][0]["caption"] = "Another thing."
    small.box("val", 22, 9999)
    small.picture("val", 23)
    small.pictures["val"].pop("COCO_val2014_000000000024.jpg")
    (small.root / "coco/val2014/COCO_val2014_000000000024.jpg").unlink()
    small.picture("val", 26)
    small.question("val", 26)
    other = run(small.write(), tmp_path / "b")
    assert prep("diff", done, other) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "vqav2-000000000024: only in A",
        "vqav2-000000000026: only in B",
        "vqav2-000000000023: picture differs",
        "vqav2-000000000021: record differs: captions[0].text",
        "vqav2-000000000022: record differs: boxes",
        "vqav2-000000000023: record differs: image.sha256, image.width",
    ]
    assert "1 only in A, 1 only in B, 1 picture and 3 records differ" in captured.err
    assert prep("diff", other, done, "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["only_a"], document["only_b"]) == (
        ["vqav2-000000000026"],
        ["vqav2-000000000024"],
    )


@pytest.mark.parametrize("kind", ["only_a", "only_b", "records"])
def test_one_kind_of_difference_is_enough_to_differ(small, done, tmp_path, prep, kind: str):
    if kind == "records":
        small.captions["val"][0]["caption"] = "Another thing."
    else:
        small.picture("val", 26)
        small.question("val", 26)
    other = run(small.write(), tmp_path / "b")
    builds = (other, done) if kind == "only_a" else (done, other)
    found = difference(*builds)
    kinds = ("only_a", "only_b", "pictures", "records")
    assert [name for name in kinds if len(getattr(found, name))] == [kind]
    assert not found.equal
    assert prep("diff", *builds) == 1


def test_samples_behind_one_that_is_gone_are_compared_too(small, done, tmp_path):
    small.pictures["val"].pop("COCO_val2014_000000000021.jpg")
    (small.root / "coco/val2014/COCO_val2014_000000000021.jpg").unlink()
    small.picture("val", 23)
    small.box("val", 25, 9999)
    found = difference(done, run(small.write(), tmp_path / "b"))
    assert found.samples == (14, 13)
    assert [one.key for one in found.only_a] == ["vqav2-000000000021"]
    assert [one.key for one in found.pictures] == ["vqav2-000000000023"]
    assert [(one.key, one.fields) for one in found.records] == [
        ("vqav2-000000000023", ("image.sha256", "image.width")),
        ("vqav2-000000000025", ("boxes",)),
    ]


def test_fields_are_compared_by_type_and_length_and_twenty_of_them_are_named():
    assert list(changed_fields({"a": 1}, {"a": 1.0})) == ["a"]
    assert list(changed_fields({"a": {"b": 1}}, {"a": [1]})) == ["a"]
    assert list(changed_fields([1, 2], [1])) == [""]
    names = tuple(f"f{number:02d}" for number in range(22))
    assert shown_fields(names[:20]) == names[:20]
    assert shown_fields(names) == (*names[:20], "... and 2 more")


def test_a_subset_differs_from_its_original_by_what_it_left_out(done, tmp_path, prep):
    assert prep("subset", done, "--out", tmp_path / "part", "--split", "val") == 0
    found = difference(done, tmp_path / "part/vqav2")
    assert [len(found.only_a), len(found.only_b), len(found.pictures)] == [9, 0, 0]
    assert len(found.records) == 0


def test_shards_that_are_lost_or_cut_short_are_not_the_same(small, done, tmp_path, prep, capsys):
    other = run(small.root, tmp_path / "b")
    (other / "val/vqav2-val-000000.tar").unlink()
    with (other / "val/vqav2-val-000001.tar").open("r+b") as shard:
        shard.truncate(1024)
    assert prep("diff", done, other) == 3
    assert prep("diff", other, done) == 3
    lines = capsys.readouterr().err.splitlines()
    assert "b/vqav2/val/vqav2-val-000000.tar: missing, " in lines[0]
    assert "b/vqav2/val/vqav2-val-000001.tar: 1,024 bytes, " in lines[1]
    assert lines[2].startswith("Build them again: vle-prep repair")


def test_what_is_no_dataset_is_told(done, tmp_path, prep):
    assert prep("diff", done, tmp_path) == 3
    report = json.loads((done / "report.json").read_bytes())
    report["dataset"] = "other"
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert prep("diff", done, tmp_path) == 3


def test_a_picture_of_a_subset_is_read_when_its_shard_wants_it(
    small, out: Path, tmp_path, prep, monkeypatch
):
    original = run(small.write(), out, samples_per_shard=1000)
    read, read_ahead = [], []
    picture = SplitReader.picture

    def reading(self, row):
        read.append(row.key)
        return picture(self, row)

    def writing(path, items):
        taken = 0

        def noted(item):
            nonlocal taken
            taken += 1
            read_ahead.append(len(read) - taken)
            return item

        return write_shard(path, map(noted, items))

    monkeypatch.setattr(SplitReader, "picture", reading)
    monkeypatch.setattr(subset, "write_shard", writing)
    assert prep("subset", original, "--out", tmp_path / "part", "--split", "train") == 0
    copied = read_report(tmp_path / "part/vqav2").splits["train"].shards
    assert [shard.samples for shard in copied] == [7] == [len(read_ahead)]
    assert set(read_ahead) == {0}
    monkeypatch.undo()
    assert contents(tmp_path / "part/vqav2", "train") == contents(original, "train")


def test_the_report_says_each_filter_and_the_same_filters_in_the_same_words():
    assert Filters().parameters() == {}
    assert Filters(min_side=200).parameters() == {"subset_min_side": 200}
    assert Filters(max_side=900).parameters() == {"subset_max_side": 900}
    for one, other in (("en", "zh"), ("zh", "en")):
        spoken = Filters(languages=(one, other)).parameters()
        assert spoken == {"subset_caption_language": "en+zh"}
    keys, excluded = Filters(keys=frozenset("ab")), Filters(excluded=frozenset("ba"))
    digest = sha256(b"a\nb\n").hexdigest()
    assert keys.parameters() == {"subset_keys_sha256": digest}
    assert excluded.parameters() == {"subset_excluded_sha256": digest}
    assert list(Filters(keys=frozenset()).parameters()) == ["subset_keys_sha256"]
