"""Where manifests come from: the package, a user's path, a user's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from vle_bench.catalog.files import (
    LARGEST_TEXT,
    packaged_file,
    packaged_files,
    user_file,
    user_files,
)
from vle_bench.errors import DataProblem


def test_packaged_files_are_called_as_in_the_repository() -> None:
    file = packaged_file("labels", "coco80.toml")
    assert (file.place, file.stem) == ("manifests/labels/coco80.toml", "coco80")
    assert "toothbrush" in file.read_text()


def test_a_missing_packaged_file_names_the_others() -> None:
    with pytest.raises(DataProblem) as caught:
        packaged_file("labels", "coco91.toml")
    assert str(caught.value) == (
        "manifests/labels/coco91.toml: no such file. "
        "There are: coco80, coco80-words, leading-adjectives, plurals."
    )


def test_a_missing_packaged_file_without_neighbours_says_so() -> None:
    with pytest.raises(DataProblem, match=r"There are: none\."):
        packaged_file("labels", "coco.xml")


def test_packaged_files_are_sorted_and_of_one_ending() -> None:
    names = [file.stem for file in packaged_files("datasets", ".toml")]
    assert names == sorted(names)
    assert "coco" in names


def test_a_users_file_that_is_not_there_is_data_missing(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="a manifest expected, found nothing there"):
        user_file(tmp_path / "no.toml")


def test_bytes_that_are_no_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b"a = 1\nb = '\xe9'\n")
    with pytest.raises(DataProblem) as caught:
        user_file(path).read_text()
    assert str(caught.value) == f"{path}:2: byte 11 is no UTF-8. Save the file as UTF-8."


def test_a_file_too_large_to_be_a_manifest_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "big.toml"
    with path.open("wb") as stream:
        stream.truncate(LARGEST_TEXT + 1)
    with pytest.raises(DataProblem, match="not a manifest"):
        user_file(path).read_text()


def test_a_users_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.toml", "a-b.toml", "a.toml", "c.txt"):
        (tmp_path / name).write_text("x")
    assert [file.stem for file in user_files(tmp_path, ".toml")] == ["a", "a-b", "b"]


def test_a_folder_that_is_not_there_or_empty_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="a folder of manifests expected"):
        user_files(tmp_path / "none", ".toml")
    with pytest.raises(DataProblem, match=r"holds no file that ends in \.toml"):
        user_files(tmp_path, ".toml")
