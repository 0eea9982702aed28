"""Relevance painted over photos: every pixel under its own patch, whatever the frame."""

from __future__ import annotations

import io

import numpy as np
import pytest
from grounding_world import CROPPED, FRAME, region, sample, write_split
from PIL import Image

from vle_bench.eval.grounding.pictures import painted, patch_of_pixels, relevance
from vle_bench.patches.grid import PatchGrid
from vle_bench.patches.view import center_crop, stretch


@pytest.mark.parametrize("size", [(90, 31), (31, 90), (40, 40)])
@pytest.mark.parametrize("make", [stretch, center_crop])
@pytest.mark.parametrize("scale", [1, 2])
def test_every_pixel_lies_in_the_patch_whose_stored_rectangle_holds_it(size, make, scale) -> None:
    grid = PatchGrid.of(50, 16)  # 2 pixels at the right and below lie in no patch
    view = make(*size, 50)
    found = patch_of_pixels(view, grid, (size[0] // scale, size[1] // scale))
    rectangles = view.to_stored(grid.corners())
    step = (size[0] / found.shape[1], size[1] / found.shape[0])
    for (y, x), patch in np.ndenumerate(found):
        at = ((x + 0.5) * step[0], (y + 0.5) * step[1])
        inside = [
            number
            for number, (x0, y0, x1, y1) in enumerate(rectangles)
            if x0 <= at[0] < x1 and y0 <= at[1] < y1
        ]
        assert inside == ([] if patch < 0 else [patch])


def test_relevant_stays_clear_irrelevant_goes_dark_unseen_goes_grey() -> None:
    photo = np.full((1, 3, 3), (250, 100, 0), dtype=np.uint8)
    found = painted(photo, np.array([[0, 1, -1]]), [1.0, 0.0])
    assert found[0, 0].tolist() == [250, 100, 0]
    assert found[0, 1].tolist() == [75, 30, 0]
    assert len(set(found[0, 2].tolist())) == 1


def test_a_constant_map_is_dark_everywhere() -> None:
    assert relevance([0.2] * 4).tolist() == [0.0] * 4


def colours(path) -> np.ndarray:
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_pictures_of_a_crop_show_what_was_not_seen(ground, tmp_path) -> None:
    folder = tmp_path / "pictures"
    ran = ground("--model", "baseline:oracle", "--pictures", folder, frame=CROPPED)
    assert ran.code == 0, ran.err
    assert f"2 pictures in {folder}." in ran.err
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["vg-1--11.jpg", "vg-2--22.jpg"]
    pixels = colours(folder / "vg-2--22.jpg")
    # 80 x 40 of one orange; seen are columns 20 to 60, the box is 30 to 50 and 10 to 30.
    assert np.ptp(pixels[5, 10]) < 40
    assert abs(pixels[6, 26] - np.array([60, 36, 12])).max() < 40
    assert abs(pixels[24, 44] - np.array([200, 120, 40])).max() < 40


def test_the_draw_depends_on_names_and_seed_alone(ground, tmp_path) -> None:
    def drawn(name: str, *options: object) -> set[str]:
        ran = ground("--model", "baseline:center", "--pictures", tmp_path / name, *options)
        assert ran.code == 0, ran.err
        return {path.name for path in (tmp_path / name).iterdir()}

    two = drawn("a", "--samples", 2)
    assert len(two) == 2
    assert drawn("b", "--samples", 2) == two
    assert two < drawn("c", "--samples", 3)
    assert any(drawn(f"s{seed}", "--samples", 2, "--seed", seed) != two for seed in range(1, 6))
    assert drawn("d", "--key", "vg-2") == {"vg-2--21.jpg", "vg-2--22.jpg"}


def test_a_key_without_a_query_is_named_and_nothing_is_written(ground, tmp_path) -> None:
    options = ("--model", "baseline:center", "--pictures", tmp_path / "p", "--key", "vg-9")
    ran = ground(*options)
    assert (ran.code, "no scored query of vg-9" in ran.err) == (3, True)
    assert not (tmp_path / "p").exists()


def test_only_scores_of_patches_are_painted(vle_eval, ground, tmp_path) -> None:
    (tmp_path / "p.csv").write_text("image_id,text_id,score,match\n1,2,0.5,1\n")
    ran = ground("--predictions", tmp_path / "p.csv", "--pictures", tmp_path / "x")
    assert (ran.code, "--pictures paints scores of patches" in ran.err) == (2, True)
    ran = ground("--pictures", tmp_path / "x")
    assert (ran.code, "--pictures paints scores of patches" in ran.err) == (2, True)
    ran = ground("--model", "baseline:center", "--key", "vg-2")
    assert (ran.code, "Give --pictures DIR with it" in ran.err) == (2, True)


def test_ids_of_any_letters_stay_in_the_folder_and_apart(vle_eval, tmp_path) -> None:
    boxes = [
        region("../../x", (0, 0, 40, 20), "one"),
        region("..\\..\\x", (40, 0, 40, 20), "two " * 99),
        region("far", (200, 0, 40, 20), "outside"),
    ]
    data = write_split(tmp_path / "shards", [sample(1, boxes)])
    ran = vle_eval(
        "grounding", "--data", data, "--dataset", "vg", "--split", "train", *FRAME,
        "--model", "baseline:oracle", "--pictures", tmp_path / "a" / "b" / "p",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert len(list((tmp_path / "a/b/p").iterdir())) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "shards"]


def test_a_damaged_picture_is_named(vle_eval, tmp_path, monkeypatch) -> None:
    import grounding_world

    monkeypatch.setattr(grounding_world, "picture_bytes", lambda *_: b"no picture")
    data = write_split(tmp_path / "shards", [sample(1, [region("1", (0, 0, 40, 20), "one")])])
    ran = vle_eval(
        "grounding", "--data", data, "--dataset", "vg", "--split", "train", *FRAME,
        "--model", "baseline:oracle", "--pictures", tmp_path / "p",
    )  # fmt: skip
    assert ran.code == 3
    assert "vg-1: cannot identify" in ran.err
