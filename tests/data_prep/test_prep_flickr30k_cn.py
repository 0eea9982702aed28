"""Flickr30k-CN: pictures out of a table of base64 text, and captions in another script."""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
from pathlib import Path

import pytest
from prep_world import picture_bytes, put, put_zip

from vle_bench.console import exit_code
from vle_bench.data_prep import base64_rows
from vle_bench.data_prep.base64_rows import Base64Cell, Base64Table, TsvRow
from vle_bench.data_prep.books import OTHER_SPLIT
from vle_bench.data_prep.caption_rules import CaptionCensus, has_letter_of
from vle_bench.data_prep.datasets.base import Parameters
from vle_bench.data_prep.picture import BadPicture, read_picture
from vle_bench.data_prep.run import Prepared, Request, prepare
from vle_bench.data_prep.scripts import language_of
from vle_bench.data_prep.sources import PictureFile
from vle_bench.data_prep.survey import survey
from vle_bench.data_prep.verify import verify
from vle_bench.errors import DataProblem
from vle_bench.eval.cli import group as vle_eval
from vle_bench.records import Caption, Sample
from vle_bench.shards.index import SkippedRow, read_skipped
from vle_bench.shards.read import iter_samples, iter_with_pictures

NAMES = {"train": "train", "val": "valid", "test": "test"}
PICTURES = {
    "train": {101: picture_bytes(41), 102: picture_bytes(42, kind="PNG")},
    "val": {103: picture_bytes(43)},
    "test": {105: picture_bytes(45), 104: picture_bytes(44)},
}


def row(image: int | str, data: bytes) -> bytes:
    return f"{image}\t".encode() + base64.b64encode(data) + b"\n"


def text(identity: int, image: int | str, words: str = "一只狗。") -> bytes:
    record = {"text_id": identity, "text": words, "image_ids": [image] if image else []}
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def run(raw: Path, out: Path, *splits: str) -> Prepared:
    return prepare(Request(dataset="flickr30k-cn", raw=raw, out=out, splits=splits))


def skipped_of(out: Path) -> list[SkippedRow]:
    return read_skipped(out / "flickr30k-cn" / "skipped.parquet")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw" / "flickr30k-cn"
    for split, pictures in PICTURES.items():
        rows = b"".join(row(image, data) for image, data in pictures.items())
        put(folder / f"{NAMES[split]}_imgs.tsv", rows)
        texts = (text(image * 10 + n, image) for image in pictures for n in (0, 1))
        put(folder / f"{NAMES[split]}_texts.jsonl", b"".join(texts))
    return tmp_path / "raw"


def add(raw: Path, name: str, data: bytes) -> None:
    with (raw / "flickr30k-cn" / name).open("ab") as stream:
        stream.write(data)


@pytest.mark.parametrize("known_by", ["texts.jsonl", "imgs.tsv"])
def test_a_picture_is_of_the_first_split_that_has_its_texts_or_its_row(raw, out, known_by: str):
    data = picture_bytes(46)
    add(raw, f"train_{known_by}", text(1060, 106) if known_by == "texts.jsonl" else row(106, data))
    add(raw, "valid_texts.jsonl", text(1061, 106))
    add(raw, "valid_imgs.tsv", row(106, data))
    run(raw, out)
    folder = out / "flickr30k-cn"
    assert [one.image.id for one in iter_samples(folder, "val", Sample)] == ["103"]
    left_out = {(one.kind, one.split, one.reason) for one in skipped_of(out) if one.split == "val"}
    assert left_out == {("image", "val", OTHER_SPLIT), ("caption", "val", OTHER_SPLIT)}


def test_pictures_leave_as_the_bytes_they_stand_for(raw: Path, out: Path):
    prepared = run(raw, out)
    for split, pictures in PICTURES.items():
        found = dict(iter_ids(out, split))
        assert list(found) == sorted(pictures)
        assert found == pictures
    assert prepared.report.splits["train"].picture_endings == ("jpg", "png")
    expected = {one.what: one.expected for one in prepared.report.splits["test"].expectations}
    assert expected == {"images": 1000, "captions": 5000}
    card = (out / "flickr30k-cn" / "README.md").read_text(encoding="utf-8")
    assert "| test | images | 1,000 | 2 | " in card
    assert verify(out / "flickr30k-cn").findings == ()


def iter_ids(out: Path, split: str):
    for sample, data in iter_with_pictures(out / "flickr30k-cn", split, Sample):
        assert sample.key == f"flickr30k-cn-{sample.image.id}"
        assert sample.image.file_name == f"{NAMES[split]}_imgs.tsv#{sample.image.id}"
        assert sample.image.flickr_id == sample.image.id
        yield int(sample.image.id), data


def test_the_plan_counts_the_bytes_of_pictures_and_not_of_their_text(raw: Path, out: Path):
    planned = survey("flickr30k-cn", raw, out, Parameters())
    for split in planned.splits:
        pictures = PICTURES[split.split].values()
        most = sum(map(len, pictures)) + 4099 * len(pictures)  # and two signs of filling at most
        assert most - 3 * len(pictures) <= split.bytes <= most


def test_captions_keep_their_script_and_others_are_counted(raw: Path, out: Path):
    add(raw, "valid_texts.jsonl", text(7, 103, "a dog") + text(8, 103, "T恤") + text(9, 103, " "))
    val = run(raw, out).report.splits["val"]
    (sample,) = iter_samples(out / "flickr30k-cn", "val", Sample)
    assert [one.text for one in sample.captions] == ["一只狗。", "一只狗。", "a dog", "T恤"]
    assert val.adjusted == {
        "caption repeated within its picture": 1,
        "caption without a letter of the expected script": 1,
    }
    assert val.counts["caption"].skipped == {"caption without text": 1}


@pytest.mark.parametrize("letter", ["一", "㐀", "豈", "\U00020bb7", "\U00030000"])
def test_rare_han_characters_are_of_the_script(letter: str):
    assert has_letter_of(f"T{letter}", "han")
    assert language_of(letter) == "zh"
    assert not has_letter_of("T. \u3002\uff0c 5 \u30c6", "han")


def test_everything_odd_is_named(raw: Path, out: Path):
    add(
        raw,
        "test_imgs.tsv",
        row(104, b"again")
        + row("x", b"no number")
        + b"no tab\n\n"
        + b"106\t!!!no base64\r\n"
        + row(107, b"<html>")
        + row(101, PICTURES["train"][101])
        + row(108, PICTURES["test"][104])
        + b"9" * 80
        + b"\tid too long\n"
        + b"109\t",
    )
    add(
        raw,
        "test_texts.jsonl",
        text(1, 0) + text(2, "y") + text(1040, 104) + text(3, 110) + text(4, 106),
    )
    prepared = run(raw, out)
    test = [one for one in skipped_of(out) if one.split == "test"]
    assert {(one.kind, one.id, one.reason) for one in test} == {
        ("image", "104", "duplicate id"),
        ("image", "x", "id is no number"),
        ("image", "test_imgs.tsv line 5", "row of pictures that is not understood"),
        ("image", "106", "picture is no base64 text"),
        ("image", "107", "picture is an HTML page"),
        ("image", "101", "image belongs to an earlier split"),
        ("image", "test_imgs.tsv line 11", "row of pictures that is not understood"),
        ("image", "test_imgs.tsv line 12", "row of pictures that is not understood"),
        ("image", "110", "picture absent"),
        ("caption", "1", "text that names no picture"),
        ("caption", "2", "id is no number"),
        ("caption", "1040", "duplicate id"),
        ("caption", "3", "picture absent"),
        ("caption", "4", "picture is no base64 text"),
    }
    counts = prepared.report.splits["test"].counts
    assert counts["image"].written == 3
    assert counts["image"].balances()
    assert counts["caption"].balances()
    bare = [one for one in iter_samples(out / "flickr30k-cn", "test", Sample) if not one.captions]
    assert [one.image.id for one in bare] == ["108"]


def test_a_text_of_several_pictures_is_a_caption_of_each_and_one_text_to_the_scorer(
    raw: Path, out: Path
):
    put(raw / "sample_world.json", b"{}")
    both = {"text_id": 9, "text": "两张照片。", "image_ids": [105, 104, "105"]}
    again = {"text_id": "9", "text": "另一张。", "image_ids": [104]}
    add(
        raw, "test_texts.jsonl", b"".join(json.dumps(one).encode() + b"\n" for one in (both, again))
    )
    test = run(raw, out).report.splits["test"]
    samples = list(iter_samples(out / "flickr30k-cn", "test", Sample))
    assert [[one.id for one in s.captions] for s in samples] == [
        ["1040", "1041", "9"],
        ["1050", "1051", "9"],
    ]
    assert test.counts["caption"].read == 8
    assert test.counts["caption"].skipped == {"duplicate id": 2}
    # Chinese and English scorers read the same shards: one query, two right pictures.
    result = out.parent / "result"
    words = f"retrieval --data {out} --dataset flickr30k-cn --split test --out {result}"
    words += " --model baseline:noisy-oracle --json"
    assert exit_code(vle_eval, "vle-eval", words.split()) == 0
    metrics = json.loads((result / "result.json").read_bytes())["metrics"]
    assert (metrics["t2i_r1"]["n"], metrics["i2t_r1"]["n"]) == (5, 2)


def test_lines_of_texts_that_are_none_are_refused_with_their_place(raw: Path, out: Path):
    add(raw, "train_texts.jsonl", b'{"text_id": 1}\nnot JSON\n{"text": "\\ud83d"}\n')
    told = r"train_texts\.jsonl:5.*\n.*train_texts\.jsonl:6.*\n.*:7: half of a surrogate pair"
    with pytest.raises(DataProblem, match=told):
        run(raw, out)
    assert not (out / "flickr30k-cn").exists() or not list(out.rglob("*.tar"))


def test_a_packed_table_is_refused_with_what_to_do(raw: Path, out: Path):
    folder = raw / "flickr30k-cn"
    inside = {f"Flickr30k-CN/{path.name}": path.read_bytes() for path in folder.iterdir()}
    for path in list(folder.iterdir()):
        path.unlink()
    put_zip(folder / "Flickr30k-CN.zip", inside)
    with pytest.raises(DataProblem, match=r"Flickr30k-CN\.zip: .* Unpack it"):
        run(raw, out)
    (folder / "Flickr30k-CN.zip").unlink()
    for name, data in inside.items():
        put(folder / f"{Path(name).name}.gz", gzip.compress(data))
    with pytest.raises(DataProblem, match=r"_imgs\.tsv\.gz: .* Unpack it"):
        run(raw, out)
    for split in NAMES.values():
        put(folder / f"{split}_imgs.tsv", inside[f"Flickr30k-CN/{split}_imgs.tsv"])
    assert run(raw, out).report.counts["image"].written == 5


def test_a_changed_picture_is_built_again_and_a_copied_table_is_not(raw: Path, out: Path):
    run(raw, out)
    table = raw / "flickr30k-cn" / "valid_imgs.tsv"
    os.utime(table, (1, 1))
    assert run(raw, out).built == 0
    table.write_bytes(row(103, picture_bytes(99)))
    again = run(raw, out)
    assert again.built == 1
    assert any("valid_imgs.tsv" in change for change in again.changes)


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 20])
def test_a_table_is_walked_alike_in_pieces_of_any_size(tmp_path: Path, monkeypatch, piece: int):
    rng = random.Random(piece)
    pictures = {n: rng.randbytes(rng.randrange(1, 300)) for n in range(40)}
    path = tmp_path / "t.tsv"
    path.write_bytes(b"\n".join(row(n, data).strip() for n, data in pictures.items()))
    monkeypatch.setattr(base64_rows, "_PIECE", piece)
    rows = list(Base64Table(path).rows())
    assert [one.identity for one in rows] == [str(n) for n in pictures]
    for one in rows:
        file = PictureFile("x", str(path), one.cell)
        assert read_picture(file) == pictures[int(one.identity)]


def test_a_byte_order_mark_is_no_part_of_the_first_id(raw: Path, out: Path):
    table = raw / "flickr30k-cn" / "valid_imgs.tsv"
    put(table, b"\xef\xbb\xbf" + table.read_bytes())
    assert run(raw, out).report.splits["val"].counts["image"].skipped == {}
    assert dict(iter_ids(out, "val")) == PICTURES["val"]


def test_lines_that_hold_no_picture_have_no_cell(tmp_path: Path):
    path = tmp_path / "t.tsv"
    path.write_bytes(b"\n7\taGk=\r\n  \n8\n9\t\n")
    assert list(Base64Table(path).rows()) == [
        TsvRow(2, "7", Base64Cell(3, 5)),
        TsvRow(4, "8", None),
        TsvRow(5, "9", None),
    ]


def test_text_that_would_be_no_picture_is_not_read(tmp_path: Path):
    path = tmp_path / "t.tsv"
    path.write_bytes(b"x")
    with pytest.raises(BadPicture, match="too large"):
        read_picture(PictureFile("x", str(path), Base64Cell(0, 1 << 40)))


def test_real_chinese_captions_are_all_in_their_script(reference: Path):
    file = reference / "data" / "li-xirong+coco-cn" / "coco-cn_ext.icap2020.txt"
    lines = file.read_text(encoding="utf-8").splitlines()
    captions = [Caption(id=name, text=words) for name, words in (x.split("\t") for x in lines)]
    census = CaptionCensus("han")
    for caption in captions:
        census.see([caption])
    assert len(captions) == 4712
    assert "caption without a letter of the expected script" not in census.counts()
    assert not any(has_letter_of(one.text, "latin") for one in captions[:5])
