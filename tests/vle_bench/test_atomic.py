from pathlib import Path

import pytest

from vle_bench.atomic import (
    make_folder,
    replacing,
    temporary_name,
    write_bytes,
    write_if_changed,
    write_text,
)
from vle_bench.errors import DataProblem, MachineProblem


def write_half_then(error: BaseException, path: Path) -> None:
    with replacing(path) as stream:
        stream.write(b"half")
        raise error


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "a" / "b.txt"
    with pytest.raises(ValueError, match="stop"):
        write_half_then(ValueError("stop"), path)
    assert list(path.parent.iterdir()) == []
    write_text(path, "ü")
    assert path.read_bytes() == "ü".encode()


def test_an_old_file_survives_a_failed_rewrite(tmp_path: Path):
    path = tmp_path / "b.txt"
    write_bytes(path, b"old")
    with pytest.raises(KeyboardInterrupt):
        write_half_then(KeyboardInterrupt(), path)
    assert path.read_bytes() == b"old"
    assert not temporary_name(path).exists()


def test_equal_bytes_leave_the_file_and_its_time_alone(tmp_path: Path):
    path = tmp_path / "b.txt"
    assert write_if_changed(path, b"same")
    before = path.stat().st_mtime_ns
    assert not write_if_changed(path, b"same")
    assert path.stat().st_mtime_ns == before
    assert write_if_changed(path, b"diff")
    assert path.read_bytes() == b"diff"


def test_a_regular_file_in_the_way_is_the_machines_refusal(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(MachineProblem, match="a regular file stands in its way"):
        make_folder(tmp_path / "file" / "below")
    with pytest.raises(MachineProblem):
        write_bytes(tmp_path / "file" / "below" / "out.json", b"x")


def test_a_missing_source_inside_the_block_is_missing_data(tmp_path: Path):
    with pytest.raises(DataProblem), replacing(tmp_path / "out") as stream:
        stream.write((tmp_path / "absent").read_bytes())
    assert list(tmp_path.iterdir()) == []
