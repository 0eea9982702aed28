"""Raw files small and big, and their local trees, once for all tests of a module."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from prep_world import RawWorld, picture_bytes
from remote_world import local_tree, run, tree_of
from s3_server import S3Server


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train: 7 pictures, one of them none. Val: 5. Test: 2."""
    world = RawWorld(tmp_path_factory.mktemp("small") / "raw")
    for split, images in (("train", range(11, 18)), ("val", range(21, 26)), ("test", (31, 32))):
        for image in images:
            world.picture(split, image, picture_bytes(40 + image, 48))
            world.question(split, image)
    world.picture("train", 12, b"<html>")
    return world.write()


@pytest.fixture(scope="module")
def local(raw: Path) -> Path:
    """A local run of it."""
    local_tree(raw, raw.parent / "local")
    return raw.parent / "local"


@pytest.fixture(scope="module")
def whole(raw: Path, local: Path) -> dict[str, bytes]:
    """The tree of that run."""
    return tree_of(local)


@pytest.fixture
def there(raw: Path, bucket: str, server: S3Server) -> str:
    """A bucket with a finished run below `out`."""
    assert run(raw, f"s3://{bucket}/out") == 0
    server.asked.clear()
    return bucket


@pytest.fixture(scope="module")
def big_raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures of 7 MB, which nothing makes smaller: a shard that goes in two parts."""
    from PIL import Image

    draws = random.Random(5)
    world = RawWorld(tmp_path_factory.mktemp("big") / "raw")
    for image in (51, 52, 53):
        noisy = Image.frombytes("RGB", (1500, 1550), draws.randbytes(1500 * 1550 * 3))
        stream = io.BytesIO()
        noisy.save(stream, "PNG", compress_level=0)
        world.picture("val", image, stream.getvalue())
        world.question("val", image)
    return world.write()


@pytest.fixture(scope="module")
def big(big_raw: Path) -> dict[str, bytes]:
    """The tree of a local run of it."""
    return local_tree(big_raw, big_raw.parent / "local", per_shard=3)
