"""VCR files: official keys, honest matching, choices that only the picture tells apart."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from PIL import Image

from vle_bench.data_prep.sample_world.cast import PictureName
from vle_bench.data_prep.sample_world.language.vcr_families import riddles_of
from vle_bench.data_prep.sample_world.language.vcr_rows import match, with_enough_peers
from vle_bench.data_prep.sample_world.layout import stage_picture
from vle_bench.data_prep.sample_world.picture import facts_of
from vle_bench.data_prep.sample_world.streams import stream

SPLITS = ("train", "val", "test")
LABELLED = ("train", "val")
KEYS = {
    "movie", "objects", "interesting_scores", "answer_likelihood", "img_fn", "metadata_fn",
    "answer_orig", "question_orig", "rationale_orig", "question", "answer_match_iter",
    "answer_sources", "answer_choices", "answer_label", "rationale_choices", "rationale_sources",
    "rationale_match_iter", "rationale_label", "img_id", "question_number", "annot_id",
    "match_fold", "match_index",
}  # fmt: skip
LEAKS = {
    "answer_orig", "rationale_orig", "answer_label", "rationale_label", "answer_sources",
    "rationale_sources", "answer_match_iter", "rationale_match_iter",
}  # fmt: skip


@pytest.fixture(scope="module")
def matched():
    """A larger fold, straight from the matching."""
    riddles, images = [], []
    for number in range(70):
        scene = facts_of(stage_picture(PictureName(0, "vcr-val", number, "film")))
        asked = riddles_of(scene, stream(0, "riddles", number))
        riddles += asked
        images += [number] * len(asked)
    kept = with_enough_peers(riddles)
    assert len(kept) > 400
    return match([riddles[k] for k in kept], [images[k] for k in kept], 0, "val-0")


def words(tokens):
    return [token if isinstance(token, str) else "#" * len(token) for token in tokens]


def test_rows_have_all_keys_and_test_rows_none_that_leak(world):
    for split in SPLITS:
        rows = world.rows(f"vcr/{split}.jsonl")
        assert rows
        expected = KEYS - LEAKS if split == "test" else KEYS
        assert all(set(row) == expected for row in rows)


def test_keys_are_those_of_the_real_row(world, reference):
    text = (reference / "data/iflytek+VLE/vcr/val_sample.jsonl").read_text().splitlines()[0]
    assert set(json.loads(text)) == set(world.rows("vcr/val.jsonl")[0])


@pytest.mark.parametrize("split", SPLITS)
def test_ids_count_rows_and_pictures(world, split):
    rows = world.rows(f"vcr/{split}.jsonl")
    assert [row["annot_id"] for row in rows] == [f"{split}-{k}" for k in range(len(rows))]
    asked = Counter()
    for row in rows:
        assert row["question_number"] == asked[row["img_id"]]
        asked[row["img_id"]] += 1
        assert row["img_id"].startswith(f"{split}-")


@pytest.mark.parametrize("split", SPLITS)
def test_boxes_names_and_objects_agree_with_the_picture(world, split):
    root = world.root / "vcr/vcr1images"
    for row in world.rows(f"vcr/{split}.jsonl"):
        metadata = json.loads((root / row["metadata_fn"]).read_bytes())
        assert set(metadata) == {"boxes", "segms", "names", "width", "height"}
        assert metadata["names"] == row["objects"]
        assert len(metadata["boxes"]) == len(metadata["segms"]) == len(metadata["names"])
        with Image.open(root / row["img_fn"]) as picture:
            assert picture.size == (metadata["width"], metadata["height"])
        for x0, y0, x1, y1, score in metadata["boxes"]:
            assert 0 <= x0 < x1 <= metadata["width"]
            assert 0 <= y0 < y1 <= metadata["height"]
            assert 0 < score < 1
        for (x0, y0, x1, y1, _), polygons in zip(metadata["boxes"], metadata["segms"], strict=True):
            points = [point for polygon in polygons for point in polygon]
            assert all(isinstance(c, int) for point in points for c in point)
            assert min(x for x, _ in points) == pytest.approx(x0, abs=1)
            assert max(y for _, y in points) == pytest.approx(y1, abs=1)
            assert min(y for _, y in points) == pytest.approx(y0, abs=1)
            assert max(x for x, _ in points) == pytest.approx(x1, abs=1)
        assert not any(" " in name for name in row["objects"])


def test_films_never_cross_splits(world):
    films = [{row["movie"] for row in world.rows(f"vcr/{split}.jsonl")} for split in SPLITS]
    assert not films[0] & films[1]
    assert not films[1] & films[2]


@pytest.mark.parametrize("split", LABELLED)
def test_tags_point_at_people_of_the_picture(world, split):
    for row in world.rows(f"vcr/{split}.jsonl"):
        for tokens in (row["question"], *row["answer_choices"], *row["rationale_choices"]):
            for token in tokens:
                if isinstance(token, list):
                    assert all(row["objects"][tag] == "person" for tag in token)


@pytest.mark.parametrize("kind", ["answer", "rationale"])
@pytest.mark.parametrize("split", LABELLED)
def test_every_choice_is_the_right_one_of_its_source(world, split, kind):
    rows = world.rows(f"vcr/{split}.jsonl")
    right = [words(row[f"{kind}_choices"][row[f"{kind}_label"]]) for row in rows]
    for row in rows:
        label = row[f"{kind}_label"]
        assert row[f"{kind}_match_iter"][label] == 0
        assert sorted(row[f"{kind}_match_iter"]) == [0, 1, 2, 3]
        assert row[f"{kind}_sources"][label] == row["match_index"]
        choices = [words(tokens) for tokens in row[f"{kind}_choices"]]
        assert len({tuple(choice) for choice in choices}) == 4
        for choice, source in zip(choices, row[f"{kind}_sources"], strict=True):
            assert choice == right[source]


def test_orig_sentences_count_objects_from_one(world):
    for row in world.rows("vcr/val.jsonl"):
        tags = [token for token in row["question"] if isinstance(token, list)]
        for number in tags[0]:
            assert str(number + 1) in row["question_orig"]
        assert row["question_orig"].endswith("?")
        assert " ." not in row["answer_orig"]


def test_no_place_is_right_more_often_than_another(matched):
    for kind in ("answers", "rationales"):
        labels = Counter(getattr(row, kind).label for row in matched)
        assert max(labels.values()) - min(labels.values()) <= 1


def test_neither_length_nor_shared_words_give_the_right_choice_away(matched):
    def share(pick):
        return sum(map(pick, matched)) / len(matched)

    def longest(kind):
        def pick(row):
            choices = getattr(row, kind)
            lengths = [len(text.split()) for text in choices.templates]
            best = [k for k, length in enumerate(lengths) if length == max(lengths)]
            return (choices.label in best) / len(best)

        return pick

    def shared_words(row):
        answer = set(row.riddle.answer.split())
        shared = [len(answer & set(text.split())) for text in row.rationales.templates]
        best = [k for k, count in enumerate(shared) if count == max(shared)]
        return (row.rationales.label in best) / len(best)

    assert share(longest("answers")) == pytest.approx(0.25, abs=0.05)
    assert share(longest("rationales")) == pytest.approx(0.25, abs=0.05)
    assert share(shared_words) < 0.33


def test_wrong_answers_are_wrong_and_of_the_same_family(matched):
    for row in matched:
        for k, source in enumerate(row.answers.sources):
            other = matched[source].riddle
            assert other.family == row.riddle.family
            assert (other.value == row.riddle.value) == (k == row.answers.label)


def test_wrong_rationales_speak_of_other_details(matched):
    for row in matched:
        for k, source in enumerate(row.rationales.sources):
            if k != row.rationales.label:
                assert matched[source].riddle.detail != row.riddle.detail


def test_a_fold_without_enough_answers_loses_the_family():
    scene = facts_of(stage_picture(PictureName(0, "vcr-val", 0, "film")))
    riddles = riddles_of(scene, stream(0, "alone"))
    assert riddles
    assert with_enough_peers(riddles) == []
