"""What an official file is taken for: by whose word, and over which way it came."""

from __future__ import annotations

import pytest
from fetch_server import Archive, serving
from fetch_world import DATA, World, state

from vle_bench.canonical import sha256_bytes
from vle_bench.data_prep.fetch import transfer
from vle_bench.data_prep.fetch.client import target
from vle_bench.data_prep.fetch.shelf import Listed, Shelf
from vle_bench.data_prep.fetch.table import Decision
from vle_bench.data_prep.sources import RawTree
from vle_bench.errors import DataProblem


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(RawTree, "state", state)
    with serving() as site:
        yield World(site, tmp_path)


def test_a_manifest_that_knows_another_digest_since_is_heard(world):
    """The file looks as it did when its own digest was recorded."""
    world.offer(Archive(DATA))
    assert world.fetch().files[0].checked_by == "first fetch"
    world.offer(Archive(DATA), size=len(DATA), sha256="0" * 64)
    with pytest.raises(DataProblem, match=f"the manifest says {len(DATA):,} bytes of {'0' * 64}"):
        world.fetch()


def test_a_redirect_from_https_to_plain_http_is_not_followed(world, monkeypatch):
    asked = []

    async def elsewhere(self, where):
        asked.append(where.scheme)
        return target("http://example.org/things.zip")

    monkeypatch.setattr(transfer._Transfer, "_ask", elsewhere)
    world.offer(Archive(DATA), url="https://example.org/things.zip")
    with pytest.raises(DataProblem, match="redirected to plain http, refused"):
        world.fetch()
    assert asked == ["https"]


def test_a_picture_whose_bytes_changed_before_it_was_packed_is_asked_for_again(tmp_path):
    """A machine that lost its power has files of the right length, filled with zeros."""
    shelf = Shelf(tmp_path / "fetched", "f" * 64)
    good, lost = b"one picture", b"two picture"
    for number, data in enumerate((good, lost)):
        digest = sha256_bytes(data)
        shelf.keep(
            Decision(
                number=number, url=f"http://example.org/{number}", status="success", final=True,
                sha256=digest, bytes=len(data), ending="jpg",
            ),
            data,
        )  # fmt: skip
    (tmp_path / "fetched/.work/00000/000000001.jpg").write_bytes(bytes(len(lost)))
    shelf.pack(0, [Listed(number, f"http://example.org/{number}") for number in (0, 1)])
    known = shelf.decisions(0)
    assert (known[0].status, known[1].status) == ("success", "")
