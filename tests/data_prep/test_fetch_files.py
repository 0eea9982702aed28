"""Official files: resumed, compared, and never under their name before they are whole."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import fetch_server as serve
import pytest
from fetch_server import Archive, serving
from fetch_world import DATA, SHA256, World, state, zipped
from prep_world import put

from vle_bench.catalog.datasets import load_dataset_manifest
from vle_bench.data_prep.fetch.call import IncompleteFetch
from vle_bench.data_prep.fetch.ledger import Ledger, PartFacts, only_fetch
from vle_bench.data_prep.sources import RawTree
from vle_bench.errors import DataProblem, MachineProblem, UsageProblem


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(RawTree, "state", state)
    with serving() as site:
        yield World(site, tmp_path)


def _beginning(world: World, data: bytes, *, total: int, etag: str = '"one"') -> None:
    """What a killed call left: the part, and of which version it is."""
    put(world.path.with_name("things.zip.part"), data)
    facts = PartFacts(url=world.url, etag=etag, last_modified="", total=total)
    Ledger(world.raw, "things").keep_part("things.zip", facts)


def left(raw: Path) -> list[str]:
    """Files below RAW, the receipts and the lock left out."""
    return sorted(
        path.relative_to(raw).as_posix()
        for path in raw.rglob("*")
        if path.is_file() and path.name != "lock" and path.suffix != ".json"
    )


def test_a_file_comes_once_and_is_known_afterwards(world):
    world.offer(Archive(DATA), size=len(DATA), sha256=SHA256)
    line = world.fetch().files[0]
    assert (line.state, line.checked_by, line.sha256) == ("fetched", "manifest", SHA256)
    assert world.path.read_bytes() == DATA
    assert left(world.raw) == ["things/things.zip"]
    assert sum(world.ears.steps) == len(DATA)
    assert world.fetch().files[0].state == "present"
    assert len(world.site.log) == 1


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(world):
    world.offer(Archive(DATA, breaks=[9_000, 5_000, 7_000, 1_000]), size=len(DATA), sha256=SHA256)
    world.fetch(attempts=2)  # each attempt brings something, so patience begins anew
    assert world.path.read_bytes() == DATA
    assert world.ranges() == ["", "bytes=9000-", "bytes=14000-", "bytes=21000-", "bytes=22000-"]
    assert [one.headers.get("if-range") for one in world.site.log] == [None] + ['"one"'] * 4


def test_a_server_that_breaks_off_at_nothing_is_given_up_and_the_beginning_kept(world):
    world.offer(Archive(DATA, breaks=[9_000] + [0] * 9), size=len(DATA), sha256=SHA256)
    with pytest.raises(IncompleteFetch, match="goes on from what is there") as caught:
        world.fetch()
    assert caught.value.answer.files[0].state == "failed"
    assert left(world.raw) == ["things/things.zip.part"]
    world.site.log.clear()
    world.offer(Archive(DATA), size=len(DATA), sha256=SHA256)
    assert world.fetch().files[0].state == "resumed"
    assert world.ranges() == ["bytes=9000-"]
    assert world.path.read_bytes() == DATA


@pytest.mark.parametrize("validator", ["etag", "date"])
def test_a_file_that_changed_meanwhile_begins_anew(world, validator):
    other = zipped(30_000)
    old = Archive(DATA, breaks=[9_000] + [0] * 9)
    new = Archive(other, etag='"two"')
    if validator == "date":
        old.etag = new.etag = ""
        old.last_modified, new.last_modified = "Mon, 01 Jan 2001 00:00:00 GMT", "today"
    world.offer(old)
    with pytest.raises(DataProblem):
        world.fetch()
    world.offer(new)
    world.fetch()
    assert world.path.read_bytes() == other


def test_a_server_that_continues_with_another_version_is_not_believed(world):
    """Some ignore If-Range; without a digest nobody would see the seam."""
    other = DATA[::-1]
    first = Archive(DATA, breaks=[9_000] + [0] * 9)
    world.offer(first)
    with pytest.raises(DataProblem):
        world.fetch()
    deaf = Archive(other, etag='"two"', hears_if_range=False)
    world.offer(deaf)
    with pytest.raises(DataProblem, match="no whole zip"):  # all of the other, reversed, file
        world.fetch()
    assert world.path.with_name("things.zip.rejected").read_bytes() == other
    assert world.ranges()[-2:] == ["bytes=9000-", ""]


def test_a_weak_etag_vouches_for_no_beginning(world):
    world.offer(Archive(DATA, etag='W/"one"', breaks=[9_000] + [0] * 9))
    with pytest.raises(DataProblem):
        world.fetch()
    assert set(world.ranges()) == {""}


def test_a_server_without_ranges_begins_anew(world):
    world.offer(Archive(DATA, breaks=[9_000], ranges=False), size=len(DATA), sha256=SHA256)
    world.fetch()
    assert world.path.read_bytes() == DATA
    assert world.ranges() == ["", "bytes=9000-"]


def test_what_came_whole_is_not_called_resumed(world):
    world.offer(Archive(DATA, ranges=False), size=len(DATA), sha256=SHA256)
    _beginning(world, DATA[:9_000], total=len(DATA))
    assert world.fetch().files[0].state == "fetched"
    assert world.ranges() == ["bytes=9000-"]


def test_a_beginning_that_is_the_whole_is_not_asked_for_again(world):
    world.offer(Archive(DATA), size=len(DATA), sha256=SHA256)
    _beginning(world, DATA, total=len(DATA))
    assert world.fetch().files[0].state == "resumed"
    assert world.path.read_bytes() == DATA


def test_a_beginning_longer_than_the_file_is_thrown_away(world):
    world.offer(Archive(DATA), sha256=SHA256)
    _beginning(world, DATA + bytes(99), total=0)
    world.fetch()
    assert world.path.read_bytes() == DATA


def test_a_wrong_beginning_is_noticed_by_the_digest_and_mended_by_one_whole_download(world):
    world.offer(Archive(DATA, etag=""), size=len(DATA), sha256=SHA256)
    _beginning(world, bytes(9_000), total=0, etag="")
    world.fetch()
    assert world.path.read_bytes() == DATA
    assert world.ranges() == ["bytes=9000-", ""]


def test_a_file_that_changed_within_a_call_is_mended_by_one_whole_download(world):
    changed = Archive(bytes(len(DATA)), etag="", breaks=[9_000])

    def then_another(handler):
        changed(handler)
        changed.data = DATA

    world.offer(then_another, size=len(DATA), sha256=SHA256)
    assert world.fetch().files[0].state == "fetched"
    assert world.ranges() == ["", "bytes=9000-", ""]


def test_a_beginning_that_nobody_vouches_for_is_thrown_away(world):
    world.offer(Archive(DATA), size=len(DATA), sha256=SHA256)
    put(world.path.with_name("things.zip.part"), bytes(9_000))
    world.fetch()
    assert world.ranges() == [""]


def test_another_content_is_kept_aside_and_named(world):
    world.offer(Archive(zipped(30_000)), sha256=SHA256)
    with pytest.raises(DataProblem, match=r"kept as .*things\.zip\.rejected, and nothing reads it"):
        world.fetch()
    assert left(world.raw) == ["things/things.zip.rejected"]


def test_another_size_is_refused_before_a_byte_is_written(world):
    world.offer(Archive(DATA), size=len(DATA) + 1, sha256=SHA256)
    with pytest.raises(DataProblem, match=r"offers 40,1.. bytes, the manifest says"):
        world.fetch()
    assert left(world.raw) == []


def test_a_server_that_promises_more_than_it_has_is_found_out(world):
    world.offer(Archive(DATA, lie=50))
    with pytest.raises(DataProblem, match="truncated"):
        world.fetch()
    assert left(world.raw) == ["things/things.zip.part"]


def test_what_the_manifest_does_not_know_is_recorded_and_compared(world):
    world.offer(Archive(DATA))
    line = world.fetch().files[0]
    assert (line.checked_by, line.sha256) == ("first fetch", SHA256)
    assert SHA256 in world.ears.said[0]
    world.path.unlink()
    world.offer(Archive(zipped(30_000)))
    with pytest.raises(DataProblem, match="the receipt of an earlier fetch says"):
        world.fetch()
    assert not world.path.exists()


def test_a_file_without_etag_date_and_digest_is_recorded_at_its_full_size(world):
    world.offer(Archive(DATA, etag=""))
    assert world.fetch().files[0].size == len(DATA)
    assert f"({len(DATA):,} bytes)" in world.ears.said[0]
    receipt = world.raw / ".vle-fetch" / "things" / "things.zip.json"
    assert json.loads(receipt.read_bytes())["size"] == len(DATA)


def test_a_file_that_rotted_is_named_and_left_alone(world):
    world.offer(Archive(DATA), size=len(DATA), sha256=SHA256)
    world.fetch()
    world.path.write_bytes(DATA[:-1] + b"x")
    with pytest.raises(DataProblem, match="Move it away"):
        world.fetch()
    assert world.path.read_bytes() == DATA[:-1] + b"x"


def test_a_page_in_place_of_an_archive_is_no_archive(world):
    world.offer(serve.body(b"<html>moved</html>", "text/html"))
    with pytest.raises(DataProblem, match="no whole zip archive"):
        world.fetch()
    assert left(world.raw) == ["things/things.zip.rejected"]


@pytest.mark.parametrize("code", [403, 404, 410])
def test_permanent_failures_are_not_tried_again(world, code):
    world.offer(serve.status(code))
    with pytest.raises(DataProblem, match=f"HTTP {code}"):
        world.fetch()
    assert len(world.site.log) == 1


def test_transient_failures_are(world):
    failing = [serve.status(503), serve.status(429, Retry_After="0"), serve.reset()]
    world.offer(serve.in_turn(*failing, Archive(DATA)), sha256=SHA256)
    world.fetch(attempts=4)
    assert len(world.site.log) == 4


def test_a_drip_is_no_better_than_silence(world):
    world.offer(serve.drip(DATA, 0.01), sha256=SHA256)
    with pytest.raises(DataProblem, match="timeout"):
        world.fetch(rate_seconds=0.3, least_rate=10_000, attempts=1)
    assert left(world.raw) == ["things/things.zip.part"]


def test_a_file_that_is_packed_on_the_way_is_not_taken_for_the_file(world):
    world.offer(serve.body(gzip.compress(DATA), Content_Encoding="gzip"))
    with pytest.raises(DataProblem, match=r"comes packed \(Content-Encoding: gzip\)"):
        world.fetch()
    assert left(world.raw) == []


def test_redirects_are_followed_but_not_in_a_ring(world):
    world.offer(serve.moved("/real"), sha256=SHA256)
    world.site.put("/real", Archive(DATA))
    world.fetch()
    assert world.path.read_bytes() == DATA
    world.path.unlink()
    world.site.put("/real", serve.moved("/things.zip"))
    with pytest.raises(DataProblem, match="redirected without end"):
        world.fetch()


def test_a_redirect_to_a_private_address_is_refused(world, monkeypatch):
    from vle_bench.data_prep.fetch import addresses

    monkeypatch.setattr(addresses, "is_public", lambda text: text == "127.0.0.2")
    world.site.put("/real", Archive(DATA))
    answer = serve.moved(world.site.url("/real", "127.0.0.1"))
    url = world.site.put("/things.zip", answer, "127.0.0.2")
    world.offer(answer, url=url)
    with pytest.raises(DataProblem, match="no public address"):
        world.fetch(allow_private=False)
    assert [one.path for one in world.site.log] == ["/things.zip"]


def test_no_room_on_the_disk_is_told_before_a_byte_is_written(world, monkeypatch):
    import shutil

    world.offer(Archive(DATA), sha256=SHA256)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 1000))
    with pytest.raises(MachineProblem, match="1,000 bytes are free"):
        world.fetch()
    assert left(world.raw) == []


def test_terms_that_must_be_agreed_to_are_not_skipped(world):
    world.offer(Archive(DATA), agreement="http://example.org/terms")
    with pytest.raises(DataProblem, match=r"agree to the terms on http://example\.org/terms"):
        world.fetch()
    assert world.site.log == []


def test_a_dry_run_tells_sizes_and_asks_nobody(world):
    world.offer(Archive(DATA), size=len(DATA), sha256=SHA256)
    line = world.fetch(dry_run=True).files[0]
    assert (line.state, line.size) == ("to fetch", len(DATA))
    assert world.site.log == []
    assert not world.raw.exists()


def test_files_can_be_chosen_by_name(world):
    world.offer(Archive(DATA), sha256=SHA256)
    assert world.fetch(files=["things.zip"]).files[0].state == "fetched"
    with pytest.raises(UsageProblem, match=r"has no file other\.zip\. It has: things\.zip"):
        world.fetch(files=["other.zip"])


def test_two_fetches_at_once_are_one_too_many(world):
    world.offer(Archive(DATA), sha256=SHA256)
    with only_fetch(world.raw, "things"), pytest.raises(MachineProblem, match="another vle-prep"):
        world.fetch()


_KILLED = """
import sys, pathlib
sys.path.insert(0, {tests!r})
import fetch_world as here
from vle_bench.data_prep.sources import NeedState, RawTree
RawTree.state = here.state
world = here.World.__new__(here.World)
world.raw, world._toml = pathlib.Path({raw!r}), pathlib.Path({toml!r})
world.ears = here.Silent()
print(world.fetch().files[0].state)
"""


def test_a_killed_transfer_goes_on_and_the_file_is_never_seen_in_parts(world):
    """kill -9 at four moments of a slow transfer."""

    def slowly(handler: serve.Handler) -> None:
        whole = Archive(DATA)
        start = whole._start(handler)
        handler.head(
            206 if start else 200,
            len(DATA) - start,
            {"ETag": '"one"', "Content-Range": f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"},
        )
        for at in range(start, len(DATA), 400):
            handler.wfile.write(DATA[at : at + 400])
            time.sleep(0.001)

    world.offer(slowly, size=len(DATA), sha256=SHA256)
    script = _KILLED.format(
        tests=str(Path(__file__).parent), raw=str(world.raw), toml=str(world._toml)
    )
    states = []
    for number in range(4):
        child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        before = len(world.site.log)
        deadline = time.monotonic() + 60
        while len(world.site.log) == before and child.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(0.01 * number)
        child.send_signal(signal.SIGKILL)
        states.append(child.communicate()[0].strip())
        assert not world.path.exists() or world.path.read_bytes() == DATA
        if world.path.exists():
            break
    if not world.path.exists():
        assert world.fetch().files[0].state == "resumed"
    assert world.path.read_bytes() == DATA
    assert any(one.startswith("bytes=") for one in world.ranges())


def test_every_official_file_is_offered_by_its_manifest():
    """What `run` needs can be fetched, or the page that hands it out is named."""
    from vle_bench.data_prep.fetch.official import line_before, official_files

    for name in ("coco", "vg", "cc3m", "sbu", "vqav2", "vcr", "flickr30k", "flickr30k-cn"):
        manifest = load_dataset_manifest(name)
        lines = [line_before(one) for one in official_files(manifest, RawTree(Path("/nowhere")))]
        assert lines
        for line in lines:
            assert line.state in ("to fetch", "by hand")
            assert line.url or "http" in line.note


def test_vcr_is_not_taken_without_agreement(prep, tmp_path, capsys):
    assert prep("fetch", "vcr", "--raw", tmp_path / "raw") == 3
    said = capsys.readouterr().err
    assert "https://visualcommonsense.com/download.html" in said
    assert len(said.splitlines()) < 10


def test_nothing_real_is_mixed_into_a_sample_world(world):
    world.offer(Archive(DATA), sha256=SHA256)
    put(world.raw / "sample_world.json", b"{}")
    with pytest.raises(DataProblem, match="is a sample world"):
        world.fetch()
    assert world.fetch(dry_run=True).files[0].state == "to fetch"
    assert world.site.log == []
