"""Whatever happens to a prepared dataset, verify says where; and says nothing when all is well."""

from __future__ import annotations

import errno
import json
import random
import shutil
from pathlib import Path

import pytest

from vle_bench.data_prep import verify as verify_module
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.run import Request, prepare
from vle_bench.data_prep.verify import Verification, verify
from vle_bench.shards.index import read_samples, write_samples
from vle_bench.shards.scan import scan_shard


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of shards of two samples, prepared once."""
    root = tmp_path_factory.mktemp("verify")
    raw = root / "raw"
    pictures: dict[str, bytes] = {}
    questions, annotations = [], []
    for image in range(1, 8):
        pictures[f"coco/val2014/COCO_val2014_{image:012d}.jpg"] = _picture(30 + image)
        questions.append({"question_id": image, "image_id": image, "question": "Is it?"})
        answers = [
            {"answer": "yes", "answer_id": at, "answer_confidence": "yes"} for at in range(10)
        ]
        annotations.append({"question_id": image, "image_id": image, "answers": answers})
    files = {
        **pictures,
        "vqav2/v2_OpenEnded_mscoco_val2014_questions.json": _json({"questions": questions}),
        "vqav2/v2_mscoco_val2014_annotations.json": _json({"annotations": annotations}),
    }
    for name, data in files.items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_bytes(data)
    settings = Parameters(samples_per_shard=2)
    prepare(Request(dataset="vqav2", raw=raw, out=root / "out", parameters=settings))
    return root / "out" / "vqav2"


def _picture(width: int) -> bytes:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.linear_gradient("L").resize((width, 30)).save(stream, "JPEG")
    return stream.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.fixture
def dataset(original: Path, tmp_path: Path) -> Path:
    """A copy to hurt."""
    shutil.copytree(original, tmp_path / "vqav2")
    return tmp_path / "vqav2"


def shard(dataset: Path, number: int) -> Path:
    return dataset / "val" / f"vqav2-val-{number:06d}.tar"


def lines(verdict: Verification) -> list[str]:
    return [str(finding) for finding in verdict.findings]


@pytest.mark.parametrize("quick", [False, True])
def test_a_whole_dataset_has_no_findings(dataset: Path, quick: bool):
    verdict = verify(dataset, quick=quick)
    assert verdict.findings == ()
    assert (verdict.shards, verdict.samples) == (4, 7)


@pytest.mark.parametrize("quick", [False, True])
def test_a_cut_at_every_member_boundary_is_found(dataset: Path, quick: bool):
    path = shard(dataset, 1)
    whole = path.read_bytes()
    bounds = [member.offset for member in scan_shard(path).members]
    bounds += [member.data_offset for member in scan_shard(path).members]
    for bound in [*bounds, len(whole) - 512, len(whole) - 1024]:
        path.write_bytes(whole[:bound])
        assert any(str(path.name) in line for line in lines(verify(dataset, quick=quick))), bound
    path.write_bytes(whole)
    assert verify(dataset).findings == ()


def test_the_sample_after_which_a_shard_was_cut_is_named(dataset: Path):
    path = shard(dataset, 1)
    *_, picture, _ = scan_shard(path).members
    path.write_bytes(path.read_bytes()[: picture.offset])
    found = lines(verify(dataset))
    assert any("vqav2-000000000003: the shard ends without" in line for line in found)
    assert any("readers do not get to 1 of 2 samples" in line for line in found)


def test_any_flipped_bit_is_found_and_pinned_to_its_sample(dataset: Path):
    draw = random.Random(0)
    path = shard(dataset, 2)
    whole = path.read_bytes()
    members = scan_shard(path).members
    for _ in range(60):
        at = draw.randrange(len(whole) - 1024)
        data = bytearray(whole)
        data[at] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
        inside = next(member for member in members if member.offset <= at < member.end)
        found = lines(verify(dataset))
        assert any(line.startswith(f"val/{path.name}: {inside.key}: ") for line in found), (
            at,
            found,
        )


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("picture", "the bytes of its picture changed"),
        ("record", "the bytes of its JSON changed"),
        ("padding", "the padding behind"),
        ("mtime", "checksum does not match"),
        ("tail", "bytes follow the end-of-archive blocks"),
    ],
)
def test_what_was_hit_is_said(dataset: Path, part: str, reason: str):
    path = shard(dataset, 0)
    picture, record, *_ = scan_shard(path).members
    data = bytearray(path.read_bytes())
    at = {
        "picture": picture.data_offset + 5,
        "record": record.data_offset + 5,
        "padding": record.data_offset + record.size,
        "mtime": record.offset + 140,
        "tail": len(data) - 1,
    }[part]
    data[at] ^= 1
    path.write_bytes(data)
    assert any(reason in line for line in lines(verify(dataset)))


def test_a_quick_look_reads_no_picture(dataset: Path):
    path = shard(dataset, 0)
    data = bytearray(path.read_bytes())
    data[700] ^= 1
    path.write_bytes(data)
    assert verify(dataset, quick=True).findings == ()
    assert len(verify(dataset).findings) == 1


def test_a_deleted_shard_is_missing(dataset: Path):
    shard(dataset, 1).unlink()
    assert lines(verify(dataset)) == ["val/vqav2-val-000001.tar: missing"]


def test_an_extra_shard_is_named_with_what_it_holds(dataset: Path):
    shutil.copy(shard(dataset, 0), shard(dataset, 9))
    (dataset / "val" / "other.tar").write_bytes(b"x")
    holds = "holds the very bytes of val/vqav2-val-000000.tar"
    assert lines(verify(dataset)) == [
        "val/other.tar: extra, no shard of the report",
        f"val/vqav2-val-000009.tar: extra, no shard of the report; {holds}",
    ]


@pytest.mark.parametrize("quick", [False, True])
def test_stray_files_are_named_and_what_the_system_hides_is_not(dataset: Path, quick: bool):
    copies = {
        "samples (copy).parquet": dataset / "samples.parquet",
        "val/vqav2-val-000001.tar.bak": shard(dataset, 1),
        "val/notes.txt": dataset / "README.md",
        "val/deeper/vqav2-val-000001.tar": shard(dataset, 2),
        "other/x": dataset / "README.md",
    }
    for place, whole in copies.items():
        (dataset / place).parent.mkdir(exist_ok=True)
        shutil.copy(whole, dataset / place)
    for hidden in (".DS_Store", "val/.vqav2-val-000002.tar.tmp", ".nv-meta/more", ".vle-prep/log"):
        (dataset / hidden).parent.mkdir(exist_ok=True)
        (dataset / hidden).write_text("x")
    (dataset / "val/loop").symlink_to("loop")
    (dataset / "val/up").symlink_to("..")
    one, two = ("", "") if quick else (f"; holds the very bytes of {p}" for p in _places(1, 2))
    assert lines(verify(dataset, quick=quick)) == [
        "other/x: extra, no file of the report",
        "samples (copy).parquet: extra, no file of the report",
        f"val/deeper/vqav2-val-000001.tar: extra, no shard of the report{two}",
        "val/loop: extra, no file of the report",
        "val/notes.txt: extra, no file of the report",
        "val/up: extra, no file of the report",
        f"val/vqav2-val-000001.tar.bak: extra, no file of the report{one}",
    ]


def test_a_split_may_be_a_link_to_another_disk(dataset: Path, tmp_path: Path):
    (dataset / "val").rename(tmp_path / "elsewhere")
    (dataset / "val").symlink_to(tmp_path / "elsewhere")
    assert verify(dataset).findings == ()
    (dataset / "val/x.txt").touch()
    assert lines(verify(dataset)) == ["val/x.txt: extra, no file of the report"]


def test_every_file_that_cannot_be_read_is_named_and_the_others_are_looked_at(
    dataset: Path, prep, capsys, monkeypatch
):
    bad = {"vqav2-val-000000.tar", "vqav2-val-000002.tar", "skipped.parquet", "report.json"}
    read = verify_module.sha256_file

    def sha256_file(path: Path) -> str:
        if path.name in bad:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return read(path)

    monkeypatch.setattr(verify_module, "sha256_file", sha256_file)
    refused = [
        f"{place}: cannot be read: Input/output error"
        for place in ("skipped.parquet", "val/vqav2-val-000000.tar", "val/vqav2-val-000002.tar")
    ]
    assert prep("verify", dataset) == 4
    captured = capsys.readouterr()
    assert captured.out.splitlines() == refused
    assert "3 files could not be read" in captured.err
    assert prep("repair", dataset, "--raw", dataset) == 4
    shard(dataset, 1).unlink()
    capsys.readouterr()
    assert prep("verify", dataset) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines() == ["val/vqav2-val-000001.tar: missing", *refused]
    assert "1 finding and 3 files that could not be read" in captured.err
    assert prep("verify", dataset, "--json") == 1
    (verdict,) = json.loads(capsys.readouterr().out)["datasets"]
    assert [one["place"] for one in verdict["unread"]] == [one.split(":")[0] for one in refused]


def _places(*numbers: int) -> list[str]:
    return [f"val/vqav2-val-{number:06d}.tar" for number in numbers]


def test_a_renamed_shard_is_told_from_a_lost_one(dataset: Path):
    shard(dataset, 0).rename(dataset / "val" / "renamed.tar")
    found = lines(verify(dataset))
    assert "val/vqav2-val-000000.tar: missing, it lies under the name val/renamed.tar" in found


@pytest.mark.parametrize("quick", [False, True])
def test_swapped_shards_are_recognised(dataset: Path, quick: bool):
    first, second, aside = shard(dataset, 0), shard(dataset, 1), dataset / "aside"
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    found = [line for line in lines(verify(dataset, quick=quick)) if "swapped" in line]
    assert [line.split(":")[0] for line in found] == [
        "val/vqav2-val-000000.tar", "val/vqav2-val-000001.tar",
    ]  # fmt: skip
    assert "val/vqav2-val-000001.tar" in found[0].split(":", 1)[1]


def test_an_index_with_a_row_less_or_moved_is_stale(dataset: Path):
    path = dataset / "samples.parquet"
    rows = read_samples(path)
    write_samples(path, rows[1:])
    found = lines(verify(dataset))
    assert "samples.parquet: is not the file that was written (sha256)" in found
    assert any("stale: 1 sample of val/vqav2-val-000000.tar, the report has 2" in x for x in found)
    assert any("vqav2-000000000001: is not in the index" in line for line in found)
    write_samples(path, [rows[0]._replace(json_offset=rows[0].json_offset + 512), *rows[1:]])
    assert any("the index is stale" in line for line in lines(verify(dataset)))
    write_samples(path, [*rows, rows[0], rows[1]._replace(shard="vqav2-val-000077.tar")])
    found = lines(verify(dataset))
    assert any("vqav2-000000000001: the key comes twice" in line for line in found)
    assert any("names val/vqav2-val-000077.tar, which the report does not" in x for x in found)


def test_a_sample_of_the_index_that_no_shard_has_is_named(dataset: Path):
    path = dataset / "samples.parquet"
    rows = read_samples(path)
    write_samples(path, [rows[0]._replace(key="vqav2-000000000099"), *rows[1:]])
    found = lines(verify(dataset))
    assert any("vqav2-000000000099: is in the index but not in the shard" in x for x in found)


@pytest.mark.parametrize(
    "name", ["samples.parquet", "skipped.parquet", "README.md", "answers/answer2label.json"]
)
def test_lost_and_changed_files_beside_the_shards_are_named(dataset: Path, name: str):
    path = dataset / name
    path.write_bytes(path.read_bytes() + b" ")
    assert any(line.startswith(f"{name}: ") for line in lines(verify(dataset)))
    path.unlink()
    assert any(line.startswith(f"{name}: ") for line in lines(verify(dataset, quick=True)))


def test_a_replaced_shard_shows_a_few_findings_and_counts_the_rest(dataset: Path, original: Path):
    path = shard(dataset, 0)
    path.write_bytes(b"\0" * 1024)
    found = lines(verify(dataset))
    assert any("1,024 bytes" in line for line in found)
    assert any("vqav2-000000000001: is in the index but not in the shard" in x for x in found)


def test_of_many_findings_at_a_place_ten_are_named_and_the_others_counted(dataset: Path):
    path = dataset / "samples.parquet"
    rows = read_samples(path)
    never = [rows[0]._replace(key=f"vqav2-{number:012d}") for number in range(100, 112)]
    write_samples(path, [*rows, *never, *never])
    found = lines(verify(dataset))
    assert sum("the key comes twice" in line for line in found) == 10
    missed = [line for line in found if line.startswith("val/vqav2-val-000000.tar: ")]
    assert len(missed) == 11
    assert missed[-1] == "val/vqav2-val-000000.tar: ... and 2 more"


def test_a_shard_that_cannot_even_be_looked_for_is_not_called_missing(dataset: Path, monkeypatch):
    is_file = Path.is_file

    def refusing(path: Path) -> bool:
        if path == shard(dataset, 1):
            raise OSError(errno.EIO, "Input/output error", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refusing)
    verdict = verify(dataset, quick=True)
    assert verdict.findings == ()
    assert [str(one) for one in verdict.unread] == [
        "val/vqav2-val-000001.tar: cannot be read: Input/output error"
    ]


def test_the_command_prints_a_line_each_and_exits_one(dataset: Path, prep, capsys):
    assert prep("verify", dataset) == 0
    assert "every byte is as written" in capsys.readouterr().err
    assert prep("verify", dataset.parent) == 0
    capsys.readouterr()
    shard(dataset, 1).unlink()
    assert prep("verify", dataset) == 1
    told = capsys.readouterr()
    assert told.out == "val/vqav2-val-000001.tar: missing\n"
    assert "1 finding" in told.err
    assert prep("verify", dataset, "--json") == 1
    (verdict,) = json.loads(capsys.readouterr().out)["datasets"]
    assert verdict["findings"] == [
        {"key": "", "place": "val/vqav2-val-000001.tar", "reason": "missing"}
    ]


def test_a_report_that_is_no_report_is_a_finding_and_none_at_all_is_no_dataset(
    dataset: Path, prep, capsys, tmp_path: Path
):
    (dataset / "report.json").write_text('{"schema": "vle-bench/preparation/1"}')
    assert prep("verify", dataset) == 1
    assert "report.json: damaged" in capsys.readouterr().out
    (dataset / "report.json").unlink()
    assert prep("verify", dataset) == 3
    assert "no prepared dataset" in capsys.readouterr().err
    assert prep("verify", tmp_path / "nowhere") == 3
