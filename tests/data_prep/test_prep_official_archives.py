"""Every dataset out of its official archives, where they lie: the shards of the loose files."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from vle_bench.canonical import sha256_file
from vle_bench.catalog.datasets import Download, load_dataset_manifest
from vle_bench.data_prep.datasets.registry import DATASETS
from vle_bench.data_prep.run import Prepared, Request, prepare

NEVER_PACKED = {
    "cc3m": "a list and what was downloaded from it",
    "flickr30k-cn": "its table of pictures is read here and there, which a zip does not allow",
}


@pytest.fixture(scope="module")
def loose(drawn_world) -> Path:
    return drawn_world(72)


@pytest.fixture(scope="module")
def packed(loose: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same world as its publishers would offer it: each file in the archive that holds it."""
    raw = tmp_path_factory.mktemp("archives") / "packed"
    shutil.copytree(loose, raw)
    for name in DATASETS.names():
        for download in load_dataset_manifest(name).downloads:
            if name not in NEVER_PACKED:
                pack(raw / name, download)
    return raw


def pack(folder: Path, download: Download) -> None:
    held = [folder / path for path in download.holds if (folder / path).exists()]
    if not held or (download.file.endswith(".tar.gz") and any(path.is_dir() for path in held)):
        return
    archive = folder / download.file
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
            for path in files_of(held):
                members.write(path, path.relative_to(folder).as_posix())
    else:
        with tarfile.open(archive, "w:gz") as members:
            for path in held:
                members.add(path, arcname=f"a folder/{path.name}")
    for path in held:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def files_of(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(one for one in path.rglob("*") if one.is_file()) or [path]


def run(name: str, raw: Path, out: Path) -> tuple[Prepared, dict[str, str]]:
    prepared = prepare(Request(dataset=name, raw=raw, out=out))
    shards = sorted(prepared.folder.rglob("*.tar"))
    return prepared, {path.name: sha256_file(path) for path in shards}


@pytest.mark.parametrize("name", [one for one in DATASETS.names() if one not in NEVER_PACKED])
def test_official_archives_give_the_shards_of_the_loose_files(
    loose: Path, packed: Path, tmp_path: Path, name: str
):
    _, expected = run(name, loose, tmp_path / "loose")
    prepared, found = run(name, packed, tmp_path / "packed")
    assert found == expected
    assert len(expected) > 0
    sources = [source for split in prepared.report.splits.values() for source in split.sources]
    assert any("!" in source for source in sources)


def test_a_packed_table_of_pictures_is_refused_with_what_to_do(packed, tmp_path, prep, capsys):
    folder = tmp_path / "raw" / "flickr30k-cn"
    shutil.copytree(packed / "flickr30k-cn", folder)
    (download,) = load_dataset_manifest("flickr30k-cn").downloads[:1]
    pack(folder, download)
    assert [path.name for path in folder.iterdir()] == [download.file]
    assert prep("run", "flickr30k-cn", "--raw", folder.parent, "--out", tmp_path / "out") == 3
    assert f"Unpack it into {folder}" in capsys.readouterr().err
