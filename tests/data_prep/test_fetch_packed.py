"""Pictures that a server packs although it was asked not to."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import fetch_server as serve
import pytest
from fetch_server import serving
from prep_world import picture_bytes

from vle_bench.data_prep.fetch.client import open_client, target
from vle_bench.data_prep.fetch.failure import Failure
from vle_bench.data_prep.fetch.picture import GotPicture, ask_picture
from vle_bench.data_prep.fetch.rules import Rules

PICTURE = picture_bytes(100, 80)


def asked(data: bytes, coding: str, **rules: int) -> bytes:
    """The picture that is made of such an answer."""

    async def ask(url: str):
        limits = Rules(allow_private=True, **rules)
        async with open_client(limits) as client:
            return await ask_picture(client, target(url), limits)

    with serving() as site:
        answer = serve.body(data, Content_Encoding=coding)
        got = asyncio.run(ask(site.put("/a", answer)))
    assert isinstance(got, GotPicture)
    return got.data


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (gzip.compress(PICTURE), "gzip"),
        (gzip.compress(PICTURE), "X-GZip"),
        (zlib.compress(PICTURE), "deflate"),
        (zlib.compress(PICTURE)[2:-4], "deflate"),
        (PICTURE, "gzip"),
        (PICTURE, "br"),
        (PICTURE, "identity"),
    ],
)
def test_a_packed_picture_is_unpacked_and_one_that_only_is_called_packed_is_not(data, coding):
    assert asked(data, coding) == PICTURE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(PICTURE)[:300], "download: truncated"),
        (gzip.compress(bytes(1 << 20)), "download: too large"),
        (b"no packing at all", "download: wrong type"),
    ],
)
def test_a_packing_that_is_cut_a_bomb_or_none_is_a_failure(data, reason):
    with pytest.raises(Failure) as caught:
        asked(data, "gzip", most_picture_bytes=100_000)
    assert caught.value.reason == reason
