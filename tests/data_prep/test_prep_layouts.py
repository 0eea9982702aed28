"""Every raw layout in use gives the same shards."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from prep_world import picture_bytes, put_zip, tree_digest

from vle_bench.canonical import sha256_file
from vle_bench.catalog.datasets import load_dataset_manifest
from vle_bench.data_prep.named_files import NamedFiles
from vle_bench.data_prep.plan import has_any_file
from vle_bench.data_prep.run import Request, prepare
from vle_bench.data_prep.sources import RawTree
from vle_bench.errors import DataProblem


def shards(raw: Path, out: Path) -> dict[str, str]:
    prepare(Request(dataset="vqav2", raw=raw, out=out))
    return {path.name: sha256_file(path) for path in sorted(out.rglob("*.tar"))}


@pytest.fixture
def expected(small, tmp_path: Path) -> dict[str, str]:
    made = shards(small.write(), tmp_path / "expected")
    shutil.rmtree(small.root)
    assert len(made) == 3
    return made


def test_the_official_zips_are_read_where_they_lie(small, expected, tmp_path: Path):
    raw = small.write_zips()
    before = sorted(raw.rglob("*"))
    assert shards(raw, tmp_path / "out") == expected
    assert sorted(raw.rglob("*")) == before


def test_the_flat_layout_is_found(small, expected, tmp_path: Path):
    raw = small.write()
    for path in [*raw.glob("vqav2/*"), *raw.glob("coco/*20*")]:
        path.rename(raw / path.name)
    (raw / "annotations").mkdir()
    for path in raw.glob("coco/annotations/*"):
        path.rename(raw / "annotations" / path.name)
    assert shards(raw, tmp_path / "out") == expected


def test_annotations_without_their_folder_are_found(small, expected, tmp_path: Path):
    raw = small.write()
    for path in raw.glob("coco/annotations/*"):
        path.rename(raw / "coco" / path.name)
    assert shards(raw, tmp_path / "out") == expected


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_annotations_that_were_packed_one_by_one_are_read(
    small, expected, tmp_path: Path, prep, capsys, ending: str
):
    raw = small.write()
    for path in [*raw.rglob("*.json")]:
        with pa.output_stream(f"{path}{ending}", compression="detect") as stream:
            stream.write(path.read_bytes())
        path.unlink()
    assert shards(raw, tmp_path / "out") == expected
    assert prep("list", "--raw", raw) == 0
    at = f"present, coco/annotations/captions_val2014.json{ending}\n"
    assert (
        f"annotations/captions_val2014.json (captions, optional): {at}" in capsys.readouterr().out
    )


def test_a_file_by_its_own_name_and_an_official_zip_win_over_one_packed_alone(small, tmp_path):
    small.write_zips()
    raw = small.write()
    for path in [*raw.rglob("*.json")]:
        Path(f"{path}.gz").write_bytes(b"not this one")
    name = "v2_mscoco_val2014_annotations.json"
    own = RawTree(raw).document("vqav2", name)
    assert own is not None
    assert own.name == f"vqav2/{name}"
    (raw / own.name).unlink()
    zipped = RawTree(raw).document("vqav2", name)
    assert zipped is not None
    assert zipped.name.startswith("vqav2/v2_Annotations_Val_mscoco.zip!")


def test_pictures_below_images_are_found(small, expected, tmp_path: Path):
    raw = small.write()
    (raw / "coco" / "images").mkdir()
    for path in raw.glob("coco/*20*"):
        path.rename(raw / "coco" / "images" / path.name)
    assert shards(raw, tmp_path / "out") == expected


def test_pictures_missing_from_a_folder_are_taken_from_the_zip_beside_it(
    small, expected, tmp_path: Path
):
    small.write_zips()
    for split in ("train", "val", "test"):
        names = list(small.pictures[split])
        for name in names[::2]:
            del small.pictures[split][name]
    assert shards(small.write(), tmp_path / "out") == expected


@pytest.mark.parametrize("remove", [False, True])
def test_pictures_that_an_unpacking_cut_short_are_told_with_the_zip_that_may_hold_them(
    small, expected, out: Path, prep, capsys: pytest.CaptureFixture[str], remove: bool
):
    small.write_zips()
    raw = small.write()
    cut, empty = sorted((raw / "coco/val2014").iterdir())[:2]
    cut.write_bytes(cut.read_bytes()[:200])
    empty.write_bytes(b"")
    call = ("run", "vqav2", "--raw", raw, "--out", out, "--workers", 1)
    assert prep(*call) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "may be whole" in line]
    assert [line.partition(" beside")[0] for line in told] == [
        "val: 2 pictures cut short, empty or broken may be whole in val2014.zip"
    ]
    if remove:  # as it was told
        cut.unlink()
        empty.unlink()
    else:
        shutil.unpack_archive(raw / "coco/val2014.zip", raw / "coco")
    assert prep(*call) == 0
    assert "may be whole" not in capsys.readouterr().err
    assert {path.name: sha256_file(path) for path in sorted(out.rglob("*.tar"))} == expected


def test_folders_within_folders_of_their_name_are_found(small, expected, tmp_path: Path):
    raw = small.write()
    for path in list(raw.glob("coco/*20*")):
        path.rename(raw / path.name)
        path.mkdir()
        (raw / path.name).rename(path / path.name)
    assert shards(raw, tmp_path / "out") == expected


@pytest.mark.parametrize("flat", [False, True])
def test_archives_unpacked_each_into_a_folder_of_its_name_are_found(
    small, expected, tmp_path: Path, flat
):
    """As desktop programs do: `train2014/train2014/`, `annotations_trainval2014/annotations/`."""
    raw = small.write_zips()
    for archive in list(raw.glob("*/*.zip")):
        folder = raw if flat else archive.parent
        shutil.unpack_archive(archive, folder / archive.stem)
        archive.unlink()
    assert shards(raw, tmp_path / "out") == expected


def test_a_zip_cut_short_is_not_opened_beside_a_folder_that_holds_every_picture(
    small, expected, tmp_path: Path
):
    raw = small.write()
    for name in ("train2014", "val2014", "test2015", "train2017"):
        (raw / "coco" / f"{name}.zip").write_bytes(b"PK\x03\x04 and the rest did not come")
    assert shards(raw, tmp_path / "out") == expected


def test_the_same_goes_for_files_that_are_found_by_their_path(tmp_path: Path):
    folder = tmp_path / "vcr" / "vcr1images"
    (folder / "film").mkdir(parents=True)
    (folder / "film" / "a@0.jpg").write_bytes(b"x")
    folder.with_suffix(".zip").write_bytes(b"PK\x03\x04 and the rest did not come")
    stills = NamedFiles(RawTree(tmp_path), "vcr", "vcr1images/")
    assert stills.find("film/a@0.jpg") is not None
    with pytest.raises(DataProblem, match="no whole zip archive"):
        stills.find("film/b@0.jpg")


def test_names_without_the_coco_prefix_are_found(small, tmp_path: Path):
    small.pictures["val"] = {
        f"{int(name[13:25]):012d}.jpg": data for name, data in small.pictures["val"].items()
    }
    made = shards(small.write(), tmp_path / "out")
    assert len(made) == 3


def test_files_of_2017_serve_where_those_of_2014_are_absent(small, tmp_path: Path):
    raw = small.write()
    (raw / "coco" / "train2017").mkdir()
    for split in ("train2014", "val2014"):
        for path in (raw / "coco" / split).iterdir():
            path.rename(raw / "coco" / "train2017" / f"{path.stem[-12:]}.jpg")
    for kind in ("captions", "instances"):
        for old, new in (("train2014", "train2017"), ("val2014", "val2017")):
            folder = raw / "coco" / "annotations"
            (folder / f"{kind}_{old}.json").rename(folder / f"{kind}_{new}.json")
    prepared = prepare(Request(dataset="vqav2", raw=raw, out=tmp_path / "out"))
    val = prepared.report.splits["val"]
    assert {kind: counts.written for kind, counts in val.counts.items()} == {
        "image": 5, "question": 15, "caption": 5, "box": 5,
    }  # fmt: skip
    assert val.absent_sources == ()
    # The 2017 files are read whole: rows about the pictures of train are of no concern to val.
    assert val.elsewhere == {"box": 7, "caption": 7, "image": 14}


def test_one_file_of_2017_alone_is_told_as_half(small, tmp_path: Path):
    raw = small.write()
    folder = raw / "coco" / "annotations"
    (folder / "captions_train2014.json").unlink()
    (folder / "captions_val2014.json").rename(folder / "captions_val2017.json")
    prepared = prepare(Request(dataset="vqav2", raw=raw, out=tmp_path / "out"))
    for split in ("train", "val"):
        report = prepared.report.splits[split]
        assert report.absent_sources == ("annotations/captions_train2017.json",)
        assert "annotations/captions_train2017.json is absent" in report.warnings


def test_where_two_files_claim_an_id_the_official_name_wins(small, tmp_path: Path):
    small.picture("val", 21, b"not this one", name="000000000021.jpg")
    small.picture("val", 21, b"nor this", name="21.jpg")
    prepared = prepare(Request(dataset="vqav2", raw=small.write(), out=tmp_path / "out"))
    assert prepared.report.splits["val"].counts["image"].skipped == {}


@pytest.mark.parametrize(("kind", "ending"), [("GIF", "gif"), ("BMP", "bmp"), ("TIFF", "TIF")])
def test_a_picture_of_a_foreign_format_is_there_and_not_absent(small, tmp_path, kind, ending):
    del small.pictures["val"]["COCO_val2014_000000000021.jpg"]
    small.picture("val", 21, picture_bytes(kind=kind), name=f"COCO_val2014_000000000021.{ending}")
    prepared = prepare(Request(dataset="vqav2", raw=small.write(), out=tmp_path / "out"))
    reason = f"picture format {kind.lower()} not supported"
    assert prepared.report.splits["val"].counts["image"].skipped == {reason: 1}


def test_files_that_are_no_numbered_pictures_are_passed_over(small, expected, tmp_path: Path):
    small.pictures["val"]["._COCO_val2014_000000000021.jpg"] = b"a resource fork"
    small.pictures["val"]["notes.txt"] = b"x"
    small.pictures["val"]["COCO_val2014_000000000021.gif"] = b"x"
    (small.root / "coco" / "val2014" / "000000000022.jpg").mkdir(parents=True)
    assert shards(small.write(), tmp_path / "out") == expected


def test_where_a_file_was_found_is_said_below_the_raw_folder(small):
    raw = RawTree(small.write())
    manifest = load_dataset_manifest("vqav2")
    found = {need.path: raw.state(manifest, need).found for need in manifest.needs}
    assert found["train2014/"] == "coco/train2014"
    assert found["v2_mscoco_val2014_annotations.json"] == "vqav2/v2_mscoco_val2014_annotations.json"
    shutil.rmtree(small.root)
    small.write_zips()
    zipped = {need.path: raw.state(manifest, need).found for need in manifest.needs}
    assert zipped["train2014/"] == "coco/train2014.zip"
    assert zipped["annotations/captions_val2014.json"] == "coco/annotations_trainval2014.zip"
    assert zipped["v2_mscoco_val2014_annotations.json"] == "vqav2/v2_Annotations_Val_mscoco.zip"


def test_a_zip_without_a_splits_file_leaves_the_split_out_and_says_so(small, out, prep, capsys):
    """As where the file lies loose and is not there: one split less, not a refusal."""
    raw = small.write_zips()
    archive = raw / "vqav2" / "v2_Questions_Test_mscoco.zip"
    put_zip(archive, {"readme.txt": b"not this time"})
    assert prep("list", "--raw", raw) == 0
    assert "v2_OpenEnded_mscoco_test2015_questions.json (questions): MISSING" in (
        capsys.readouterr().out
    )
    assert prep("run", "vqav2", "--raw", raw, "--out", out) == 0
    assert "split test is left out" in capsys.readouterr().err
    assert prep("run", "vqav2", "--raw", raw, "--out", out, "--split", "test") == 3
    assert "split test lacks v2_OpenEnded_mscoco_test2015_questions" in capsys.readouterr().err


def test_a_zip_that_is_none_is_told_when_it_is_read(small, out, prep, capsys):
    raw = small.write_zips()
    (raw / "vqav2" / "v2_Questions_Test_mscoco.zip").write_bytes(b"<html>")
    assert prep("list", "--raw", raw) == 0
    capsys.readouterr()
    assert prep("run", "vqav2", "--raw", raw, "--out", out) == 3
    assert "v2_Questions_Test_mscoco.zip: no whole zip archive" in capsys.readouterr().err


def test_cocos_copy_of_karpathys_archive_is_no_raw_file_of_flickr30k(tmp_path: Path):
    inside = {"dataset_coco.json": b"{}", "dataset_flickr30k.json": b"{}"}
    put_zip(tmp_path / "coco" / "caption_datasets.zip", inside)
    raw, known = RawTree(tmp_path), load_dataset_manifest("flickr30k")
    assert {raw.state(known, need).found for need in known.needs_of("test")} == {
        "coco/caption_datasets.zip",
        "",
    }
    assert has_any_file(load_dataset_manifest("coco"), raw)
    assert not has_any_file(known, raw)  # so --or-sample still prepares the sample world


@pytest.mark.parametrize("command", ["list", "plan", "run"])
def test_a_download_that_was_broken_off_is_told_and_how_it_goes_on(
    small, out: Path, prep, capsys: pytest.CaptureFixture[str], command: str
):
    raw = small.write()
    (raw / "coco/annotations/instances_train2014.json").unlink()
    (raw / "coco/annotations_trainval2014.zip.part").write_bytes(b"PK")
    shutil.rmtree(raw / "coco/test2015")
    (raw / "test2015.zip.part").touch()
    (raw / "coco/val2014.zip.part").touch()  # the folder is there
    where = () if command == "plan" else ("--workers", 1)
    call = ("list",) if command == "list" else (command, "vqav2", "--out", out, *where)
    assert prep(*call, "--raw", raw) == 0
    streams = capsys.readouterr()
    told = (streams.err if command == "run" else streams.out).splitlines()
    for part, path in (
        ("coco/annotations_trainval2014.zip.part", "annotations/instances_train2014.json"),
        ("test2015.zip.part", "test2015/"),
    ):
        lines = [line for line in told if f"download not finished: {part}, run vle-prep" in line]
        assert lines
        assert any(path in line for line in lines)
    assert not any("val2014.zip.part" in line for line in told if "annotations" not in line)


def test_a_split_without_its_file_says_that_the_download_was_broken_off(
    small, out: Path, prep, capsys: pytest.CaptureFixture[str]
):
    raw = small.write()
    (raw / "vqav2/v2_OpenEnded_mscoco_val2014_questions.json").unlink()
    (raw / "vqav2/v2_Questions_Val_mscoco.zip.part").touch()
    assert prep("run", "vqav2", "--raw", raw, "--out", out, "--split", "val") == 3
    told = "download not finished: vqav2/v2_Questions_Val_mscoco.zip.part, run vle-prep fetch again"
    assert told in capsys.readouterr().err


def test_half_a_download_is_not_answered_with_the_sample_world(tmp_path: Path, prep):
    part = tmp_path / "raw" / "vqav2" / "v2_Questions_Val_mscoco.zip.part"
    part.parent.mkdir(parents=True)
    part.touch()
    call = ("run", "vqav2", "--raw", tmp_path / "raw", "--out", tmp_path / "out")
    assert prep(*call, "--or-sample", tmp_path / "sample") == 3
    assert not (tmp_path / "sample").exists()


@pytest.mark.parametrize("target", ["nowhere", "itself"])
@pytest.mark.parametrize(
    ("name", "folder"),
    [("vqav2", "coco/train2014"), ("vcr", "vcr/vcr1images"), ("cc3m", "cc3m/pictures")],
)
def test_a_link_that_leads_nowhere_is_an_absent_picture(
    drawn_world, tmp_path: Path, name: str, folder: str, target: str
):
    raw = Path(shutil.copytree(drawn_world(60), tmp_path / "raw"))
    picture = sorted((raw / folder).rglob("*.jpg"))[-1]
    picture.unlink()
    digests = []
    for out in ("absent", "link"):
        if out == "link":
            picture.symlink_to(picture.name if target == "itself" else "nowhere")
        prepare(Request(dataset=name, raw=raw, out=tmp_path / out))
        digests.append(tree_digest(tmp_path / out / name))
    assert digests[0] == digests[1]
