"""One picture of the web: asked for once, judged by what it holds, never by what it is called.

The server's Content-Type counts for nothing: pages that say "not found" come as
image/jpeg with status 200, and pictures as text/html. What is too large is left in
the middle; what is too small is a counter or a placeholder.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import NamedTuple

from vle_bench.data_prep import web_reasons as reasons
from vle_bench.data_prep.fetch.client import Client, Reply, Target, status_failure
from vle_bench.data_prep.fetch.failure import Failure
from vle_bench.data_prep.fetch.opt_out import HEADER, opted_out
from vle_bench.data_prep.fetch.rules import Rules
from vle_bench.data_prep.picture import BadPicture, Probe, probe

_ACCEPT = ("Accept", "image/jpeg,image/png,image/webp;q=0.9,*/*;q=0.1")
_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_PLAIN = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF")
"""Begins a picture; no packed one."""
_CLASSES = {
    "picture file empty": reasons.TOO_SMALL,
    "picture without a pixel": reasons.TOO_SMALL,
    "picture of too many pixels": reasons.TOO_LARGE,
    "picture cut short": reasons.TRUNCATED,
}


class GotPicture(NamedTuple):
    """The bytes of a picture and what its header says."""

    data: bytes
    seen: Probe


class Moved(NamedTuple):
    """The picture is said to be elsewhere; that is another host's turn."""

    to: Target


async def ask_picture(client: Client, where: Target, rules: Rules) -> GotPicture | Moved:
    """Asks one address once.

    Raises:
        Failure: There is no usable picture, or none that its owner lets us have.
    """
    try:
        async with (
            asyncio.timeout(rules.picture_seconds),
            client.get(where, [_ACCEPT]) as reply,
        ):
            declined = opted_out(reply.headers.get(HEADER, ()))
            if declined and not rules.ignore_opt_out:
                raise Failure(reasons.OPTED_OUT, f"X-Robots-Tag: {declined}")
            if reply.moved_to:
                return Moved(where.joined(reply.moved_to))
            if reply.status != 200:
                raise status_failure(reply, rules)
            data = await _body(reply, rules)
    except TimeoutError as error:
        told = f"{where.host}: not done in {rules.picture_seconds:g} s"
        raise Failure(reasons.TIMEOUT, told, transient=True) from error
    return GotPicture(data, _judged(data, rules))


async def _body(reply: Reply, rules: Rules) -> bytes:
    declared = reply.length
    if declared is not None and declared > rules.most_picture_bytes:
        raise Failure(reasons.TOO_LARGE, f"{declared:,} bytes declared")
    pieces: list[bytes] = []
    size = 0
    async for piece in reply.pieces:
        size += len(piece)
        if size > rules.most_picture_bytes:
            raise Failure(reasons.TOO_LARGE, f"more than {rules.most_picture_bytes:,} bytes")
        pieces.append(piece)
    return _unpacked(b"".join(pieces), reply.header("content-encoding"), rules)


def _unpacked(data: bytes, coding: str, rules: Rules) -> bytes:
    """The picture itself: some servers pack what was asked for plain, others only say so."""
    if coding.strip().lower() not in _CODINGS or data.startswith(_PLAIN):
        return data
    for bits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # with a head, or without one
        packed = zlib.decompressobj(bits)
        try:
            plain = packed.decompress(data, rules.most_picture_bytes + 1)
        except zlib.error:
            continue
        if len(plain) > rules.most_picture_bytes:
            raise Failure(reasons.TOO_LARGE, f"unpacks to over {rules.most_picture_bytes:,} bytes")
        return plain
    return data


def _judged(data: bytes, rules: Rules) -> Probe:
    try:
        seen = probe(data)
    except BadPicture as error:
        kind = _CLASSES.get(str(error), reasons.WRONG_TYPE)
        raise Failure(kind, str(error)) from error
    if seen.width * seen.height > rules.most_pixels:
        raise Failure(reasons.TOO_LARGE, f"{seen.width} x {seen.height} pixels")
    if min(seen.width, seen.height) < rules.least_side:
        raise Failure(reasons.TOO_SMALL, f"{seen.width} x {seen.height} pixels")
    return seen
