"""Writing and hashing in a second thread: the same bytes, errors are heard, no thread is left."""

from __future__ import annotations

import errno
import hashlib
import io
import random
import threading
from pathlib import Path

import pytest

from vle_bench.atomic import temporary_name
from vle_bench.errors import MachineProblem
from vle_bench.shards import behind as module
from vle_bench.shards.behind import behind
from vle_bench.shards.writer import write_shard


def pieces(seed: int, count: int) -> list[bytes]:
    rng = random.Random(seed)
    return [rng.randbytes(rng.choice((0, 1, 511, 512, 70_000, 300_000))) for _ in range(count)]


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("behind")}


class Refusing(io.FileIO):
    """A disk that is full after some bytes, and has no room for smaller things either."""

    def __init__(self, path: Path, room: int) -> None:
        super().__init__(path, "wb")
        self._room = room

    def write(self, data: bytes) -> int:
        if self.tell() + len(data) > self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("together", [1, 3])
def test_all_pieces_are_written_and_hashed_in_their_order(tmp_path: Path, together: int):
    parts = pieces(1, 120)
    whole = b"".join(parts)
    with (tmp_path / "a").open("wb") as stream, behind(stream) as end:
        for at in range(0, len(parts), together):
            end.add(*parts[at : at + together])
        found = end.finish()
    assert (tmp_path / "a").read_bytes() == whole
    assert found == hashlib.sha256(whole).hexdigest()


def test_nothing_has_a_digest_too():
    with behind(io.BytesIO()) as end:
        assert end.finish() == hashlib.sha256(b"").hexdigest()


def test_bytes_that_wait_are_bounded(tmp_path: Path):
    slow = threading.Event()
    waiting: list[int] = []

    class Slow(io.FileIO):
        def write(self, data: bytes) -> int:
            slow.wait(0.002)
            waiting.append(-len(data))
            return len(data)

    most = 0
    with Slow(tmp_path / "a", "wb") as stream, behind(stream) as end:
        for _ in range(60):
            end.add(bytes(1 << 20))
            waiting.append(1 << 20)
            most = max(most, sum(waiting))
        end.finish()
    assert sum(waiting) == 0
    assert 1 << 20 < most <= (module._MOST_AHEAD + 2) << 20


def test_what_the_disk_refuses_reaches_the_maker_before_all_is_made(tmp_path: Path):
    made: list[bytes] = []

    def make() -> None:
        with Refusing(tmp_path / "a", room=3 << 20) as stream, behind(stream) as end:
            for _ in range(1000):
                made.append(bytes(1 << 20))
                end.add(made[-1])

    with pytest.raises(OSError, match="No space"):
        make()
    assert len(made) <= 3 + module._MOST_AHEAD + 2
    assert threads() == set()


def test_the_last_bytes_are_not_said_to_be_written_when_the_disk_refused_them(tmp_path: Path):
    with Refusing(tmp_path / "a", room=5) as stream, behind(stream) as end:
        end.add(b"fits")
        end.add(b"does not")
        with pytest.raises(OSError, match="No space"):
            end.finish()


def test_what_waits_is_dropped_when_the_maker_breaks_off(tmp_path: Path):
    held = threading.Event()
    written: list[int] = []

    class Held(io.FileIO):
        def write(self, data: bytes) -> int:
            held.wait(10)
            written.append(len(data))
            return len(data)

    def make() -> None:
        with Held(tmp_path / "a", "wb") as stream, behind(stream) as end:
            for _ in range(module._MOST_AHEAD):
                end.add(bytes(1 << 20))
            threading.Timer(0.05, held.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make()
    assert len(written) < module._MOST_AHEAD
    assert threads() == set()


def test_no_shard_and_no_thread_is_left_when_there_is_no_memory(
    tmp_path: Path, monkeypatch, make_item
):
    class Broken:
        def update(self, _: bytes) -> None:
            raise MemoryError("no memory for a digest")

        def hexdigest(self) -> str:
            raise AssertionError("asked for the digest of bytes it has not seen")

    item = make_item(1)
    monkeypatch.setattr(module.hashlib, "sha256", Broken)
    with pytest.raises(MachineProblem, match="memory"):
        write_shard(tmp_path / "a.tar", [item])
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_a_sentence_with_the_shards_name(tmp_path: Path, make_item):
    temporary_name(tmp_path / "a.tar").symlink_to("/dev/full")
    with pytest.raises(MachineProblem, match=r"a\.tar: No space left on device"):
        write_shard(tmp_path / "a.tar", [make_item(1)._replace(picture=bytes(100_000))])
    assert threads() == set()
    assert list(tmp_path.iterdir()) == []


def test_a_shard_larger_than_what_is_sent_ahead_is_written_whole(tmp_path: Path, make_item):
    path = tmp_path / "a.tar"
    items = [make_item(n)._replace(picture=part) for n, part in enumerate(pieces(3, 400))]
    written = write_shard(path, items)
    data = path.read_bytes()
    assert len(data) > 16 << 20
    assert written.bytes == len(data)
    assert written.sha256 == hashlib.sha256(data).hexdigest()
