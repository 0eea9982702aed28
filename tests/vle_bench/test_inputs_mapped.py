"""Arrays that stay in their file: the same as those that are read, or the same refusal."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from vle_bench.errors import DataProblem
from vle_bench.inputs import open_source
from vle_bench.inputs.mapped import map_arrays
from vle_bench.inputs.npz import read_arrays

FEATURES = np.arange(60, dtype=np.float32).reshape(12, 5)


def mapped(path: Path):
    return map_arrays(path, "features", "features")


def test_an_npy_file_is_not_read_but_mapped(tmp_path):
    path = tmp_path / "f.npy"
    np.save(path, FEATURES)
    found = mapped(path)
    assert np.array_equal(found.arrays[""], FEATURES)
    assert not found.arrays[""].flags.writeable
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    found.release()
    assert np.array_equal(found.arrays[""], FEATURES)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_members_are_the_same_stored_or_packed(tmp_path, save):
    path = tmp_path / "f.npz"
    save(path, ids=np.arange(12), features=FEATURES)
    found = mapped(path)
    assert sorted(found.arrays) == ["features", "ids"]
    for name, array in read_arrays(open_source(path, "features"), "features").items():
        assert np.array_equal(found.arrays[name], array)
    assert found.sha256 == open_source(path, "features").sha256


def test_another_file_is_left_to_others(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_text('{"image_id": 1}\n')
    assert mapped(path) is None


@pytest.mark.parametrize("save", [np.save, np.savez])
def test_a_changed_bit_or_a_lost_end_is_seen(tmp_path, save):
    """NPY has no checksum: there a lost end alone can be seen."""
    path = tmp_path / ("f.npy" if save is np.save else "f.npz")
    save(path, FEATURES)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataProblem, match=r"f\.np"):
        mapped(path)
    if save is np.savez:
        at = whole.index(FEATURES.tobytes()) + 8
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(DataProblem, match="CRC"):
            mapped(path)


def test_a_member_whose_own_header_has_another_name_is_refused(tmp_path):
    path = tmp_path / "damaged.npz"
    np.savez(path, ids=np.arange(3))
    path.write_bytes(path.read_bytes().replace(b"ids.npy", b"idx.npy", 1))
    with pytest.raises(DataProblem, match="damaged NPZ"):
        mapped(path)


def test_objects_are_never_unpickled(tmp_path):
    path = tmp_path / "f.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataProblem, match="Python objects"):
        mapped(path)


def test_an_empty_array_and_an_empty_file(tmp_path):
    path = tmp_path / "f.npy"
    np.save(path, np.empty((0, 5), dtype=np.float32))
    assert mapped(path).arrays[""].shape == (0, 5)
    path.write_bytes(b"")
    assert mapped(path) is None
