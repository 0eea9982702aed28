"""Every planted leak stays out by the evidence that was planted, and nothing else does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from leak_world import (
    BY_DEFAULT,
    CORPORA,
    VQA_VAL,
    explanations,
    ledger,
    planted,
    run,
    shard_digests,
)

from vle_bench.data_prep.leaks.evidence import EXCLUDED
from vle_bench.data_prep.leaks.guard import changes
from vle_bench.data_prep.leaks.rules import all_rules
from vle_bench.data_prep.verify import verify
from vle_bench.errors import DataProblem, UsageProblem
from vle_bench.shards.index import read_samples, read_skipped
from vle_bench.shards.report import ListReport, RuleReport


@pytest.fixture(scope="module")
def plain(drawn_world) -> Path:
    return drawn_world(150, seed=5)


@pytest.fixture(scope="module")
def hard(drawn_world) -> Path:
    return drawn_world(240, seed=3, hard=True)


@pytest.fixture
def changing(plain: Path, tmp_path: Path) -> Path:
    """A world of one's own, to take files away from."""
    return Path(shutil.copytree(plain, tmp_path / "raw"))


def corpus_id(row: dict[str, str]) -> str:
    name, _, rest = row["key"].partition("-")
    return str(int(rest)) if name in ("sbu", "coco") else rest


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("kind", ["plain", "hard"])
def test_every_planted_leak_is_left_out_by_what_was_planted_and_nothing_else(
    request: pytest.FixtureRequest, tmp_path: Path, name: str, kind: str
):
    raw = request.getfixturevalue(kind)
    prepared = run(name, raw, tmp_path)
    found = explanations(tmp_path / name)
    how = planted(raw, name, BY_DEFAULT)
    assert {corpus_id(row): row["evidence"] for row in found} == how
    assert name == "coco" or len(how) > 1
    for counts in prepared.report.counts.values():
        assert counts.balances()
    skipped = read_skipped(tmp_path / name / "skipped.parquet")
    excluded = {row.image_id for row in skipped if row.reason == EXCLUDED and row.kind == "image"}
    assert excluded == {row["image_id"] for row in found}
    assert not {row.key for row in read_samples(tmp_path / name / "samples.parquet")} & {
        row["key"] for row in found
    }
    assert verify(tmp_path / name).findings == ()


def test_the_worlds_leaks_are_of_every_kind_of_evidence(plain: Path):
    kinds = {how for name in CORPORA for how in planted(plain, name, BY_DEFAULT).values()}
    assert kinds == {"coco_id", "flickr_id", "bytes"}


def test_an_explanation_names_rule_evidence_and_the_evaluation_picture(plain: Path, tmp_path: Path):
    run("sbu", plain, tmp_path)
    rows = {corpus_id(row): row for row in explanations(tmp_path / "sbu")}
    told = [
        row
        for row in ledger(plain)["shared"]
        if row["corpus"] == "sbu" and row["corpus_id"] in rows and row["evaluation"] != "vqav2"
    ]
    assert told
    for row in told:
        found = rows[row["corpus_id"]]
        if row["evaluation"] == "coco":
            assert found["rule"] == f"karpathy-{row['evaluation_split']}"
            assert found["evaluation"] == "coco"
        assert found["evaluation_id"] == row["evaluation_id"]
        if found["evidence"] == "bytes":
            assert len(found["value"]) == 64
        else:
            assert found["value"] == row["evaluation_id"]


def test_what_is_about_an_excluded_picture_is_left_out_with_it(plain: Path, tmp_path: Path):
    run("vg", plain, tmp_path)
    skipped = read_skipped(tmp_path / "vg" / "skipped.parquet")
    out = {row["image_id"] for row in explanations(tmp_path / "vg")}
    boxes = {row.image_id for row in skipped if row.kind == "box" and row.reason == EXCLUDED}
    assert boxes == out


def test_no_picture_is_taken_out_of_a_split_that_is_there_to_evaluate_on(
    plain: Path, tmp_path: Path
):
    every = "+".join(rule.name for rule in all_rules().rules)
    guarded = run("coco", plain, tmp_path / "guarded", rules=every).report
    alone = run("coco", plain, tmp_path / "alone", rules="none").report
    for split in ("val", "test"):
        assert guarded.splits[split].shards == alone.splits[split].shards
        assert guarded.splits[split].overlap == ()
    for name in ("vqav2", "flickr30k", "flickr30k-cn", "vcr"):
        report = run(name, plain, tmp_path / "guarded").report
        assert "rules" not in report.parameters
        assert all(EXCLUDED not in counts.skipped for counts in report.counts.values())


def test_vqav2_val_is_a_rule_of_its_own_that_takes_all_of_restval(plain: Path, tmp_path: Path):
    asked = "vqav2-val"
    report = run("coco", plain, tmp_path, rules=asked).report
    counts = report.splits["restval"].counts["image"]
    assert counts.written == 0
    assert counts.skipped == {EXCLUDED: counts.read}
    assert report.splits["train"].counts["image"].written > 0
    for name in ("vg", "cc3m", "sbu"):
        run(name, plain, tmp_path, rules=asked)
        found = {corpus_id(row) for row in explanations(tmp_path / name)}
        assert found == set(planted(plain, name, VQA_VAL))


def test_a_rule_that_is_switched_off_changes_only_the_shards_it_concerned(
    plain: Path, tmp_path: Path
):
    run("vg", plain, tmp_path)
    card = tmp_path / "vg" / "README.md"
    assert "Switched off" not in card.read_text(encoding="utf-8")
    before = shard_digests(tmp_path / "vg")
    keys = [row["key"] for row in explanations(tmp_path / "vg") if row["rule"] == "karpathy-test"]
    rules = [rule.name for rule in all_rules().rules if rule.default]
    rest = "+".join(name for name in rules if name != "karpathy-test")
    again = run("vg", plain, tmp_path, rules=rest)
    rows = {row.key: row.shard for row in read_samples(tmp_path / "vg" / "samples.parquet")}
    changed = {name for name, digest in shard_digests(tmp_path / "vg").items()
               if digest != before[name]}  # fmt: skip
    assert keys
    assert changed == {rows[key] for key in keys}
    assert again.built == len(changed)
    said = "Switched off, so not looked for: karpathy-test."
    assert said in card.read_text(encoding="utf-8").splitlines()
    assert again.changes[0] == f"rules was {'+'.join(rules)}, is {rest}"
    run("vg", plain, tmp_path / "fresh", rules=rest)
    assert shard_digests(tmp_path / "vg") == shard_digests(tmp_path / "fresh" / "vg")


def test_other_rules_for_one_split_alone_are_refused(plain: Path, tmp_path: Path):
    run("coco", plain, tmp_path)
    with pytest.raises(UsageProblem, match="rules was"):
        run("coco", plain, tmp_path, rules="none", splits=("train",))


def test_train2017_holds_karpathys_test_pictures_and_loses_them(changing: Path, tmp_path: Path):
    split = json.loads((changing / "coco" / "annotations" / "dataset_coco.json").read_text())
    annotations = changing / "coco" / "annotations"
    for kind in ("captions", "instances"):
        parts = [
            json.loads((annotations / f"{kind}_{part}.json").read_text())
            for part in ("train2014", "val2014")
        ]
        merged = parts[0] | {
            name: parts[0][name] + parts[1][name] for name in ("images", "annotations")
        }
        (annotations / f"{kind}_train2017.json").write_text(json.dumps(merged))
    report = run("coco", changing, tmp_path / "out", scheme="2017", splits=("train",)).report
    held = {str(row["cocoid"]) for row in split["images"] if row["split"] in ("val", "test")}
    assert {row["image_id"] for row in explanations(tmp_path / "out" / "coco")} == held
    assert report.splits["train"].counts["image"].written == len(split["images"]) - len(held)


def test_a_list_that_is_absent_is_told_everywhere_and_stops_nothing(
    changing: Path, tmp_path: Path, prep, capsys
):
    (changing / "coco" / "annotations" / "dataset_coco.json").unlink()
    (changing / "flickr30k" / "test.txt").unlink()
    shutil.rmtree(changing / "vcr" / "vcr1images")
    out = tmp_path / "out"
    assert prep("run", "vg", "--raw", changing, "--out", out) == 0
    told = capsys.readouterr().err.splitlines()
    sentences = [
        "not checked: karpathy-val (coco/dataset_coco.json absent)",
        "not checked: karpathy-test (coco/dataset_coco.json absent)",
        "in part not checked: flickr30k-test (flickr30k/test.txt absent)",
        "not checked: vcr-val (vcr/vcr1images/ absent)",
        "not checked: vcr-test (vcr/vcr1images/ absent)",
    ]
    assert told[:5] == sentences
    card, report = (
        (out / "vg" / name).read_text(encoding="utf-8") for name in ("README.md", "report.json")
    )
    for sentence in sentences:
        assert sentence in card
        assert sentence in report
    left_out = {line.split("|")[2].strip(): line.split("|")[-2].strip()
                for line in card.splitlines() if line.startswith("| train |")}  # fmt: skip
    planted_there = planted(changing, "vg", frozenset({("flickr30k", "test")}))
    assert left_out["karpathy-val"] == left_out["vcr-val"] == "not checked"
    assert left_out["flickr30k-test"] == f"{len(planted_there)}, in part not checked"
    assert left_out["flickr30k-val"] == "0"
    # What can be checked still is: Karpathy's list of Flickr30k names the planted pictures.
    assert {row["rule"] for row in explanations(out / "vg")} == {"flickr30k-test"}
    assert prep("run", "vg", "--raw", changing, "--out", out, "--strict-overlap") == 3
    assert all(sentence in capsys.readouterr().err for sentence in sentences[:1])
    off = [word for name in ("karpathy-val", "karpathy-test", "flickr30k-test", "vcr-val",
                             "vcr-test") for word in ("--no-rule", name)]  # fmt: skip
    assert prep("run", "vg", "--raw", changing, "--out", out, "--strict-overlap", *off) == 0


def test_a_list_that_is_empty_is_told_and_stops_nothing(
    changing: Path, tmp_path: Path, prep, capsys
):
    # What a download leaves that never began, and a small sample world without VCR questions.
    (changing / "vcr" / "test.jsonl").write_bytes(b"")
    command = ("run", "vg", "--raw", changing, "--out", tmp_path / "out")
    assert prep(*command) == 0
    assert "not checked: vcr-test (vcr/test.jsonl without a picture)" in capsys.readouterr().err
    (changing / "sample_world.json").unlink()
    command = (*command[:-1], tmp_path / "out2")
    assert prep(*command) == 0
    assert "not checked: vcr-test (vcr/test.jsonl empty)" in capsys.readouterr().err
    assert explanations(tmp_path / "out2" / "vg")
    assert prep(*command, "--strict-overlap") == 3
    assert "not checked: vcr-test (vcr/test.jsonl empty)" in capsys.readouterr().err


@pytest.mark.parametrize(("images", "seed"), [(24, 2), (40, 3), (9, 0)])
def test_training_corpora_of_small_worlds_lose_what_was_planted(
    drawn_world, tmp_path: Path, images: int, seed: int
):
    raw = drawn_world(images, seed=seed)
    for name in ("coco", "vg") if images < 18 else CORPORA:
        run(name, raw, tmp_path / "out")
        rows = explanations(tmp_path / "out" / name)
        assert {corpus_id(row) for row in rows} == {*planted(raw, name, BY_DEFAULT)}, name


def test_a_corpus_without_ids_is_not_checked_where_only_ids_are_known(
    changing: Path, tmp_path: Path
):
    for name in (
        "val2014",
        "annotations/captions_val2014.json",
        "annotations/instances_val2014.json",
    ):
        path = changing / "coco" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    lacking = "not checked: karpathy-val (coco/annotations/captions_val2014.json and coco/val2014/ absent)"  # noqa: E501
    assert lacking in run("sbu", changing, tmp_path / "out").report.splits["train"].warnings
    assert lacking not in run("vg", changing, tmp_path / "out").report.splits["train"].warnings


def test_evaluation_pictures_without_files_are_told_where_bytes_are_the_evidence(
    changing: Path, tmp_path: Path
):
    lines = (changing / "vcr" / "val.jsonl").read_text().splitlines()
    stills = dict.fromkeys(json.loads(line)["img_fn"] for line in lines)
    shutil.rmtree(changing / "coco" / "val2014")
    (changing / "vcr" / "vcr1images" / next(iter(stills))).unlink()
    warnings = run("cc3m", changing, tmp_path / "out").report.splits["train"].warnings
    told = [one for one in warnings if one.endswith("bytes of the others are not known")]
    assert told[0].startswith("rule karpathy-val: 0 of ")
    there = f"rule vcr-val: {len(stills) - 1} of {len(stills)} pictures can be read"
    assert any(one.startswith(there) for one in told)
    assert not any("flickr30k" in one for one in told)
    with pytest.raises(DataProblem, match="rule karpathy-val: 0 of"):
        run("cc3m", changing, tmp_path / "strict", strict=True)
    warnings = run("vg", changing, tmp_path / "out").report.splits["train"].warnings
    assert not any(one.endswith("are not known") for one in warnings)


def test_all_rules_that_hold_can_be_checked_strictly_in_a_whole_world(
    plain: Path, tmp_path: Path, prep
):
    for name in CORPORA:
        rule = ("--rule", "vqav2-val") if name == "sbu" else ()
        command = ("run", name, "--raw", plain, "--out", tmp_path, "--strict-overlap", *rule)
        assert prep(*command) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["vg", "--no-rule", "karpathy"], "no such rule. Known are karpathy-val, karpathy-test"),
        (["vg", "--rule", "refcoco"], "--rule refcoco: no such rule"),
        (["vg", "--rule", "vcr-val", "--no-rule", "vcr-val"], "both name vcr-val"),
        (["vqav2", "--no-rule", "vcr-val"], "for coco, vg, cc3m, sbu"),
        (["vcr", "--strict-overlap"], "--strict-overlap are for coco, vg, cc3m, sbu"),
    ],
)
def test_rules_that_make_no_sense_exit_two(plain, tmp_path, prep, capsys, arguments, words):
    assert prep("run", *arguments, "--raw", plain, "--out", tmp_path / "out") == 2
    assert words in capsys.readouterr().err


def test_a_raw_folder_without_any_list_is_prepared_whole(changing: Path, tmp_path: Path):
    for name in ("coco", "vqav2", "flickr30k", "vcr"):
        shutil.rmtree(changing / name)
    report = run("vg", changing, tmp_path / "out").report
    assert EXCLUDED not in report.counts["image"].skipped
    rules = [one for one in report.splits["train"].overlap if one.not_checked]
    assert len(rules) == len([rule for rule in all_rules().rules if rule.default])
    with pytest.raises(DataProblem, match=r"not checked: vqav2-test .* and coco/annotations/image"):
        run("vg", changing, tmp_path / "strict", strict=True)


def test_a_rule_that_is_new_keeps_no_change_of_another_back():
    def report(rule: str, *, bytes_sha256: str, lists: str) -> RuleReport:
        one = ListReport(file="coco/x.json", ids=1, sha256=lists)
        other = ListReport(file="coco/y.json", ids=1, sha256=lists)
        return RuleReport(rule=rule, lists=(one, other), bytes_sha256=bytes_sha256)

    before = [report("b", bytes_sha256="1", lists="1")]
    now = [report(rule, bytes_sha256="2", lists="2") for rule in ("a", "b")]
    assert [one.partition(" names ")[0] for one in changes(before, now)] == [
        "rule b: coco/x.json",
        "rule b: coco/y.json",
        "rule b: 0 pictures are known by their bytes, other than the 0 at the last run",
    ]
