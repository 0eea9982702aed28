"""What an official file is taken for: by whose word, and over which way it came."""

from __future__ import annotations

import pytest
from fetch_server import Archive, serving
from fetch_world import DATA, World, state

from vle_bench.data_prep.fetch import transfer
from vle_bench.data_prep.fetch.client import target
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
