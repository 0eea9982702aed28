"""Digests in threads of their own: the same as in one, and no thread is left behind."""

from __future__ import annotations

import hashlib
import random
import threading
from pathlib import Path

import pytest

from vle_bench.errors import MachineProblem
from vle_bench.shards import digests as module
from vle_bench.shards.digests import digests
from vle_bench.shards.writer import write_shard


def pieces(seed: int, count: int) -> list[bytes]:
    rng = random.Random(seed)
    return [rng.randbytes(rng.choice((0, 1, 511, 512, 70_000, 300_000))) for _ in range(count)]


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("digest-")}


def test_they_are_those_of_all_pieces_in_their_order():
    parts = pieces(1, 120)
    whole = b"".join(parts)
    with digests("sha256", "md5") as taken:
        for part in parts:
            taken.update(part)
        found = taken.finish()
    assert found == (hashlib.sha256(whole).hexdigest(), hashlib.md5(whole).hexdigest())


def test_nothing_has_a_digest_too():
    with digests("sha256") as taken:
        assert taken.finish() == (hashlib.sha256(b"").hexdigest(),)


def test_bytes_that_wait_are_bounded(monkeypatch):
    slow = threading.Event()
    waiting: list[int] = []

    class Slow:
        def update(self, data: bytes) -> None:
            slow.wait(0.002)
            waiting.append(-len(data))

        def hexdigest(self) -> str:
            return "end"

    monkeypatch.setattr(module.hashlib, "new", lambda *_, **__: Slow())
    most = 0
    with digests("sha256") as taken:
        for _ in range(60):
            taken.update(bytes(1 << 20))
            waiting.append(1 << 20)
            most = max(most, sum(waiting))
        assert taken.finish() == ("end",)
    assert sum(waiting) == 0
    assert most <= (module._MOST_AHEAD + 2) << 20


class Broken:
    """A digest for which there is no memory, and that nobody may ask for its value."""

    def update(self, _: bytes) -> None:
        raise MemoryError("no memory for a digest")

    def hexdigest(self) -> str:
        raise AssertionError("asked for the digest of bytes it has not seen")


def test_what_a_thread_raises_reaches_the_caller(monkeypatch):
    monkeypatch.setattr(module.hashlib, "new", lambda *_, **__: Broken())

    def take() -> None:
        with digests("sha256", "md5") as taken:
            for part in pieces(2, 30):
                taken.update(part)
            taken.finish()

    with pytest.raises(MemoryError, match="no memory"):
        take()
    assert threads() == set()


def test_no_shard_and_no_thread_is_left_when_a_digest_fails(tmp_path: Path, monkeypatch, make_item):
    monkeypatch.setattr(module.hashlib, "new", lambda *_, **__: Broken())
    with pytest.raises(MachineProblem, match="memory"):
        write_shard(tmp_path / "a.tar", [make_item(1)])
    assert list(tmp_path.iterdir()) == []
    assert threads() == set()


@pytest.mark.parametrize("reason", [RuntimeError, KeyboardInterrupt])
def test_no_thread_is_left_when_the_samples_break_off(tmp_path: Path, make_item, reason):
    def items():
        for number in range(40):
            yield make_item(number)._replace(picture=bytes(100_000))
        assert threads()
        raise reason

    with pytest.raises(reason):
        write_shard(tmp_path / "a.tar", items())
    assert threads() == set()
    assert list(tmp_path.iterdir()) == []


def test_no_thread_is_left_when_the_disk_refuses(tmp_path: Path, make_item):
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineProblem):
        write_shard(tmp_path / "file" / "a.tar", [make_item(1)])
    assert threads() == set()


def test_a_shard_larger_than_what_is_sent_ahead_is_written_whole(tmp_path: Path, make_item):
    path = tmp_path / "a.tar"
    items = [make_item(n)._replace(picture=part) for n, part in enumerate(pieces(3, 400))]
    written = write_shard(path, items)
    data = path.read_bytes()
    assert len(data) > 16 << 20
    assert written.bytes == len(data)
    assert written.sha256 == hashlib.sha256(data).hexdigest()
