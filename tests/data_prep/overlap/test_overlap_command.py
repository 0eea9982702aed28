"""`vle-prep overlap`: every shared picture with what proves it, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from overlap_world import Given, copied, draw, encoded, prepare
from PIL import Image

from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group
from vle_bench.data_prep.leaks.rules import all_rules
from vle_bench.data_prep.overlap import fingerprints
from vle_bench.shards.report import read_report

GUARDED = {"coco", "vg", "cc3m", "sbu"}
FLAT = Image.linear_gradient("L").resize((400, 300))


def as_stored(orientation: int, picture: Image.Image) -> Image.Image:
    """The pixels of which EXIF's orientation makes the picture."""
    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[orientation]
    return picture.transpose(back)


def turned_to(orientation: int, picture: Image.Image) -> bytes:
    """The picture, stored so that EXIF must turn it to look as it does."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(as_stored(orientation, picture), exif=exif)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Each training picture 1-9 is evaluation picture 1-9, and each is known by another thing."""
    out = tmp_path / "shards"
    pictures = {number: encoded(draw(number)) for number in range(1, 20)}
    evaluation = [
        Given("coco-1", pictures[1], coco_id="501"),
        Given("coco-2", pictures[2], flickr_id="9000000002"),
        Given("coco-3", pictures[3]),
        Given("coco-4", pictures[4]),
        Given("coco-5", encoded(FLAT)),
        Given("coco-6", encoded(FLAT, quality=95)),
        Given("coco-7", turned_to(6, draw(7))),
        Given("coco-8", turned_to(8, draw(8))),
        Given("coco-9", b"\xff\xd8\xff no picture"),
        Given("coco-10", pictures[10]),
    ]
    training = [
        Given("vg-1", copied(pictures[11], 1), coco_id="0501"),  # the id says so, the looks do not
        Given("vg-2", copied(pictures[2], 2), flickr_id="9000000002"),
        Given("vg-3", pictures[3]),
        Given("vg-4", copied(pictures[4], 4)),
        Given("vg-5", encoded(FLAT)),  # featureless, but the same bytes
        Given("vg-6", encoded(FLAT, quality=50)),  # featureless: a copy that nobody can tell
        Given("vg-7", encoded(draw(7), quality=80)),  # turned upright, the mark gone
        Given("vg-8", encoded(as_stored(8, draw(8)))),  # not turned, the mark gone
        Given("vg-9", b"\xff\xd8\xff no picture either"),
        Given("vg-10", pictures[12]),
        Given("vg-11", encoded(draw(10).resize((20, 15)))),  # a copy too small to be judged
    ]
    prepare(out, "coco", {"test": evaluation[:6], "val": evaluation[6:]}, per_shard=4)
    prepare(out, "vg", {"train": training}, per_shard=3)
    return out


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def overlap(prep, tmp_path, capsys):
    """The command's pairs and document."""

    def call(*arguments: object) -> tuple[dict[tuple[str, str], dict], dict]:
        out = tmp_path / "pairs.jsonl"
        assert prep("overlap", *arguments, "--workers", 1, "--out", out, "--json") == 0
        found = rows(out)
        pairs = {(row["training_key"], row["evaluation_key"]): row for row in found}
        assert len(pairs) == len(found)
        return pairs, json.loads(capsys.readouterr().out)

    return call


def test_every_shared_picture_is_found_by_what_proves_it_and_no_other(overlap, shards) -> None:
    pairs, document = overlap(shards / "vg", "--against", shards / "coco")
    assert {pair: row["ways"] for pair, row in pairs.items()} == {
        ("vg-1", "coco-1"): ["coco_id"],
        ("vg-2", "coco-2"): ["flickr_id", "near-copy"],
        ("vg-3", "coco-3"): ["bytes", "near-copy"],
        ("vg-4", "coco-4"): ["near-copy"],
        ("vg-5", "coco-5"): ["bytes"],
        ("vg-7", "coco-7"): ["near-copy"],
        ("vg-8", "coco-8"): ["near-copy"],
    }
    assert pairs["vg-1", "coco-1"]["correlation"] < 0.5
    assert pairs["vg-4", "coco-4"]["correlation"] > 0.95
    assert pairs["vg-5", "coco-5"]["correlation"] is None
    assert document["schema"] == "vle-bench/overlap/1"
    assert (document["pairs"], document["training_pictures"]) == (7, 7)
    shared = {(one["evaluation"], one["evidence"]): one["pairs"] for one in document["shared"]}
    assert shared == {
        ("coco/test", "coco_id"): 1,
        ("coco/test", "flickr_id"): 1,
        ("coco/test", "bytes"): 2,
        ("coco/test", "near-copy"): 1,
        ("coco/val", "near-copy"): 2,
    }


def test_pictures_that_are_not_judged_are_counted_with_the_reason(overlap, shards) -> None:
    _, document = overlap(shards / "vg", "--against", shards / "coco")
    (training,) = document["training"]
    assert training["pictures"] == 11
    assert training["looks"] == {
        "judged": 7, "featureless": 2, "too small": 1, "unreadable": 1, "not looked at": 0,
    }  # fmt: skip
    assert [(one["split"], one["looks"]["judged"]) for one in document["evaluation"]] == [
        ("val", 3), ("test", 4),
    ]  # fmt: skip


def test_ids_and_bytes_alone_need_no_look_at_any_shard(overlap, shards) -> None:
    for shard in shards.rglob("*.tar"):
        shard.unlink()
    pairs, document = overlap(shards / "vg", "--against", shards / "coco", "--exact-only")
    assert sorted(key for key, _ in pairs) == ["vg-1", "vg-2", "vg-3", "vg-5"]
    assert document["training"][0]["looks"]["not looked at"] == 11


def test_folders_order_and_workers_change_nothing(prep, shards, tmp_path, capsys) -> None:
    extra = tmp_path / "more"
    prepare(extra, "flickr30k", {"val": [Given("flickr30k-4", copied(encoded(draw(4)), 9))]})
    given = (shards / "coco", extra / "flickr30k")
    told = []
    for workers, against in ((1, given), (2, given), (1, given[::-1]), (2, (shards, extra))):
        for kept in shards.parent.rglob("fingerprints"):
            shutil.rmtree(kept)
        out = tmp_path / "pairs.parquet"
        arguments = ("overlap", shards, "--against", *against, "--workers", workers)
        assert prep(*arguments, "--out", out, "--json") == 0
        told.append((out.read_bytes(), capsys.readouterr().out))
    assert len(set(told)) == 1
    assert pq.read_table(tmp_path / "pairs.parquet").num_rows == 8


def test_splits_are_chosen_on_both_sides_and_a_picture_is_no_copy_of_itself(overlap, shards):
    here = shards / "coco"
    pairs, document = overlap(
        here, "--train-split", "dev", "--against", here, "--split", "dev", "--split", "test"
    )
    assert pairs == {}
    assert [one["split"] for one in document["evaluation"]] == ["val", "test"]


def test_a_second_comparison_decodes_nothing_and_says_the_same(
    prep, shards, tmp_path, capsys, monkeypatch
):
    command = ("overlap", shards, "--against", shards, "--workers", 1)
    assert prep(*command) == 0
    first = capsys.readouterr().out
    before = sorted(shards.glob("*/*"))
    monkeypatch.setattr(fingerprints, "grey_thumbnail", None)
    assert prep(*command) == 0
    assert capsys.readouterr().out == first
    assert sorted(shards.glob("*/*")) == before
    assert len(list((shards / ".vle-prep/vg/fingerprints/train").iterdir())) == 4


@pytest.mark.parametrize("damage", ["torn", "other shard", "garbage"])
def test_kept_fingerprints_that_are_not_of_this_shard_are_made_again(
    damage, prep, shards, capsys
) -> None:
    command = ("overlap", shards, "--against", shards, "--workers", 1)
    assert prep(*command) == 0
    first = capsys.readouterr().out
    one, other, *_ = sorted((shards / ".vle-prep/vg/fingerprints/train").iterdir())
    whole = one.read_bytes()
    one.write_bytes(
        {"torn": whole[:900], "other shard": other.read_bytes(), "garbage": b"x"}[damage]
    )
    assert prep(*command) == 0
    assert capsys.readouterr().out == first
    assert one.read_bytes() == whole


def test_where_nothing_can_be_kept_the_comparison_goes_on(prep, shards, capsys) -> None:
    (shards / ".vle-prep").write_text("no folder")
    assert prep("overlap", shards, "--against", shards, "--workers", 1) == 0
    told = capsys.readouterr()
    assert "coco/test" in told.out
    assert "Fingerprints of 7 shards could not be kept" in told.err


def test_an_evaluation_split_without_a_picture_shares_nothing(overlap, shards, tmp_path) -> None:
    prepare(tmp_path / "none", "coco", {"val": []})
    pairs, document = overlap(shards / "vg", "--against", tmp_path / "none")
    assert pairs == {}
    assert document["evaluation"][0]["pictures"] == 0


def test_datasets_of_one_name_are_told_apart_by_their_folders(prep, shards, tmp_path, capsys):
    other = tmp_path / "other"
    prepare(other, "coco", {"test": [Given("coco-4", copied(encoded(draw(4)), 5))]})
    against = (shards / "coco", other / "coco")
    assert prep("overlap", shards / "vg", "--against", *against, "--workers", 1, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    places = {one["evaluation"] for one in told["shared"]}
    assert f"coco/test in {other / 'coco'}" in places
    assert f"coco/test in {shards / 'coco'}" in places


def test_strict_makes_a_gate_of_it(prep, shards, tmp_path, capsys) -> None:
    one = ("--workers", 1)
    assert prep("overlap", shards / "vg", "--against", shards / "coco", "--strict", *one) == 1
    assert "shares 7 pictures with" in capsys.readouterr().err
    prepare(tmp_path / "clean", "vg", {"train": [Given("vg-1", encoded(draw(77)))]})
    command = ("overlap", tmp_path / "clean", "--against", shards / "coco", "--strict", *one)
    assert prep(*command) == 0


def test_a_damaged_shard_is_named_with_its_picture(prep, shards, capsys) -> None:
    shard = shards / "vg/train/vg-train-000001.tar"
    data = bytearray(shard.read_bytes())
    data[700] ^= 1
    shard.write_bytes(data)
    command = ("overlap", shards / "vg", "--against", shards / "coco", "--workers", 1)
    assert prep(*command) == 3
    told = capsys.readouterr().err
    assert "vg-train-000001.tar: vg-4: the picture is not as the index says" in told
    assert "vle-prep verify" in told


@pytest.mark.parametrize("kept", [False, True])
def test_a_shard_cut_short_or_gone_is_named_even_where_its_fingerprints_are_kept(
    kept, prep, shards, capsys
) -> None:
    command = ("overlap", shards / "vg", "--against", shards / "coco", "--workers", 1)
    if kept:
        assert prep(*command) == 0
    shard = shards / "vg/train/vg-train-000002.tar"
    shard.write_bytes(shard.read_bytes()[:-512])
    assert prep(*command) == 3
    assert "vg-train-000002.tar: has " in capsys.readouterr().err
    shard.unlink()
    assert prep(*command) == 3
    assert "vg-train-000002.tar: a shard expected, found nothing there" in capsys.readouterr().err


def test_an_index_of_other_shards_is_refused(prep, shards, capsys) -> None:
    report = json.loads((shards / "vg/report.json").read_text())
    report["splits"]["train"]["shards"][0]["samples"] = 2
    (shards / "vg/report.json").write_text(json.dumps(report))
    assert prep("overlap", shards / "vg", "--against", shards / "coco") == 3
    assert "does not hold the samples of vg-train-000000.tar" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere", "--against", "coco"), 3, "no prepared dataset"),
        (("vg", "--against", "nowhere"), 3, "no prepared dataset"),
        (("vg", "--against", "vg"), 3, "no evaluation split there, only train"),
        (("coco", "--against", "coco"), 3, "no training split there, only val, test"),
        (("vg", "--against", "coco", "--split", "testB"), 3, "no evaluation split testB"),
        (("vg", "--against", "coco", "--out", "pairs.csv"), 2, ".parquet or .jsonl"),
        (("vg",), 2, "Missing option '--against'"),
    ],
)
def test_what_cannot_be_compared_is_told_in_words(
    arguments, code, words, prep, shards, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(shards)
    assert prep("overlap", *arguments) == code
    assert words in capsys.readouterr().err


@pytest.fixture(scope="module")
def unguarded(drawn_world, tmp_path_factory) -> tuple[Path, Path]:
    """The sample world, prepared with every rule of the leak guard switched off."""
    raw, out = drawn_world(200, seed=3), tmp_path_factory.mktemp("unguarded")
    off = [word for rule in all_rules().rules for word in ("--no-rule", rule.name)]
    for name in ("coco", "vg", "cc3m", "sbu", "flickr30k", "flickr30k-cn", "vqav2"):
        command = ["run", name, "--raw", str(raw), "--out", str(out), "--workers", "1"]
        command += off if name in GUARDED else []
        assert exit_code(group, "vle-prep", command) == 0
    return raw, out


def test_what_was_planted_in_the_sample_world_is_found_and_nothing_else(overlap, unguarded):
    raw, out = unguarded
    ledger = json.loads((raw / "sample_world.json").read_text())["shared"]
    names = ("corpus", "evaluation", "evaluation_split", "evaluation_id")
    planted = {tuple(row[name] for name in names): row["how"] for row in ledger}
    assert set(planted.values()) == {"coco_id", "flickr_id", "bytes", "near-copy"}
    pairs, document = overlap(out, "--against", out)
    found = {
        (
            row["training_dataset"],
            row["evaluation_dataset"],
            row["evaluation_split"],
            row["evaluation_key"].rpartition("-")[2].lstrip("0"),
        ): row["ways"]
        for row in pairs.values()
    }
    assert found.keys() == planted.keys()
    assert all(planted[place] in ways for place, ways in found.items())
    assert {
        place for place, ways in found.items() if ways[0] == "near-copy"
    } == {place for place, how in planted.items() if how == "near-copy"}  # fmt: skip
    assert document["sample"] is True


def test_the_keys_found_can_be_left_out_and_then_nothing_is_shared(
    prep, unguarded, tmp_path, capsys
) -> None:
    _, out = unguarded
    keys = tmp_path / "keys.txt"
    assert prep("overlap", out / "sbu", "--against", out, "--keys", keys) == 0
    number = len(keys.read_text().splitlines())
    assert number >= 3
    assert f"{number} keys, for vle-prep subset" in capsys.readouterr().err
    keys.write_text(keys.read_text() + "sbu-9999999\n")
    assert prep("subset", out / "sbu", "--out", tmp_path / "part", "--exclude", keys) == 0
    assert "1 key of no sample here" in capsys.readouterr().err
    assert prep("verify", tmp_path / "part") == 0
    assert prep("overlap", tmp_path / "part", "--against", out, "--strict") == 0
    counts = read_report(tmp_path / "part/sbu").splits["train"].counts["image"]
    assert counts.skipped == {"in the exclusion list": number}
    part = tmp_path / "part"
    assert prep("overlap", part, "--against", out, "--keys", keys) == 0
    assert keys.read_bytes() == b""
    assert prep("subset", part / "sbu", "--out", tmp_path / "same", "--exclude", keys) == 0
    assert prep("subset", part / "sbu", "--out", tmp_path / "none", "--key-file", keys) == 3
    assert prep("diff", part / "sbu", tmp_path / "same/sbu") == 0


def test_a_shard_whose_pictures_were_all_left_out_has_nothing_to_compare(
    small, prep, out, capsys
) -> None:
    for image in (13, 14):  # one shard of train by themselves
        small.picture("train", image, b"")
    run = ("run", "vqav2", "--raw", small.write(), "--out", out, "--samples-per-shard", 2)
    assert prep(*run) == 0
    shards = read_report(out / "vqav2").splits["train"].shards
    assert [shard.samples for shard in shards] == [2, 0, 2, 1]
    assert prep("verify", out) == 0
    assert prep("overlap", out, "--against", out, "--workers", 1) == 0, capsys.readouterr().err
