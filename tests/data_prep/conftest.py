"""Fixtures of preparation: raw folders made by hand, and `vle-prep` in this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from drawn_worlds import DrawnWorlds
from prep_world import RawWorld, picture_bytes, turned_picture_bytes
from s3_server import S3Server, no_hook

from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group


@pytest.fixture(scope="session")
def drawn_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DrawnWorlds]:
    """The raw folder of a sample world, to read: `drawn_world(60, seed=2, hard=True)`."""
    own = tmp_path_factory.getbasetemp()
    everybodys = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    worlds = DrawnWorlds(everybodys / "worlds")
    yield worlds
    worlds.check()


@pytest.fixture
def world(tmp_path: Path) -> RawWorld:
    """An empty raw folder to fill."""
    return RawWorld(tmp_path / "raw")


@pytest.fixture
def small(world: RawWorld) -> RawWorld:
    """Train: 7 pictures. Val: 5. Test: 2, one question of them in test-dev. Not yet written."""
    for split, images in (("train", range(11, 18)), ("val", range(21, 26)), ("test", (31, 32))):
        for image in images:
            world.picture(split, image, picture_bytes(40 + image, 48))
            for number in range(3):
                world.question(split, image, number, main=("yes", "no", "2")[number])
            if split != "test":
                world.image_row(split, image, width=40 + image)
                world.caption(split, image, image * 10)
                world.box(split, image, image * 100)
    world.test_dev = [dict(world.questions["test"][1])]
    return world


@pytest.fixture
def picture() -> Callable[[int, int], bytes]:
    """Makes a JPEG of that width and height."""
    return picture_bytes


@pytest.fixture
def turned_picture() -> Callable[[int, int, int], bytes]:
    """Makes a JPEG of that width and height as stored that asks viewers to turn it."""
    return turned_picture_bytes


Prep = Callable[..., int]


@pytest.fixture
def prep() -> Prep:
    """`vle-prep` in this process: arguments in, exit code out."""

    def call(*arguments: object) -> int:
        return exit_code(group, "vle-prep", [str(one) for one in arguments])

    return call


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "shards"


@pytest.fixture(scope="session")
def server() -> Iterator[S3Server]:
    """A local S3; one, because fsspec remembers whom it asked."""
    found = S3Server()
    yield found
    found.close()


@pytest.fixture
def bucket(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket of it, and the environment in which it is found."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    name = server.bucket()
    server.asked.clear()
    yield name
    server.hook = no_hook
