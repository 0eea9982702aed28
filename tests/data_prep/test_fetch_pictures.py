"""Web pictures: every way in which a server fails, and what is kept of it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import fetch_server as serve
import pyarrow.parquet as pq
import pytest
from fetch_server import Site, serving
from prep_world import picture_bytes, put

from vle_bench.data_prep.run import Request, prepare
from vle_bench.shards.index import read_skipped

PICTURE = picture_bytes(100, 80)
LIST = "Train_GCC-training.tsv"
FAST = ("--delay", "0", "--timeout", "30", "--attempts", "2")


@pytest.fixture
def site():
    with serving() as site:
        yield site


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "raw"


@pytest.fixture
def fetch(prep, raw):
    """`vle-prep fetch cc3m` on this machine's own addresses."""

    def call(*more: object, private: bool = True) -> int:
        allowed = ("--allow-private",) if private else ()
        return prep("fetch", "cc3m", "--raw", raw, *FAST, *allowed, *more, "--split", "train")

    return call


def cc3m(raw: Path, urls: list[str]) -> None:
    rows = (f"caption {number}\t{url}\n" for number, url in enumerate(urls))
    put(raw / "cc3m" / LIST, "".join(rows).encode())


def table(raw: Path) -> dict[str, dict[str, object]]:
    """Rows of every shard by the path of their address."""
    rows = {}
    for path in sorted((raw / "cc3m" / "fetched-train").glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            rows["/" + row["url"].partition("://")[2].partition("/")[2]] = row
    return rows


def outcome(raw: Path) -> dict[str, str]:
    """`success`, or the class of the failure, by path; a star where it is asked again."""
    return {
        path: (row["error_message"] or row["status"]) + ("" if row["final"] else " *")
        for path, row in table(raw).items()
    }


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def bad_world(site: Site) -> list[str]:
    """One address for every way to fail, and some for ways not to."""
    site.put("/ring-2", serve.moved("/ring"))
    long = picture_bytes(3000, 40, kind="PNG")
    answers = {
        "/fine": serve.body(PICTURE),
        "/fine-as-page": serve.body(PICTURE, "text/html"),
        "/busy": serve.in_turn(serve.status(503), serve.body(PICTURE)),
        "/too-many": serve.in_turn(serve.status(429, Retry_After="0"), serve.body(PICTURE)),
        "/moved": serve.moved(site.url("/fine", "127.0.0.2")),
        "/relative": serve.moved("/fine"),
        "/png": serve.body(long),
        "/gone": serve.status(410),
        "/forbidden": serve.status(403),
        "/missing": serve.status(404),
        "/broken": serve.status(500),
        "/odd": serve.status(204),
        "/cut": serve.truncated(PICTURE, 300),
        "/cut-inside": serve.body(PICTURE[:400]),
        "/hangs-up": serve.reset(),
        "/page": serve.body(b"<!DOCTYPE html><p>Sorry"),
        "/gif": serve.body(b"GIF89a" + bytes(40)),
        "/empty": serve.body(b""),
        "/dot": serve.body(picture_bytes(1, 1)),
        "/flat": serve.body(picture_bytes(400, 8)),
        "/bomb": serve.body(_bomb()),
        "/endless": serve.endless(),
        "/heavy": _heavy(),
        "/ring": serve.moved("/ring-2"),
        "/to-file": serve.moved("file:///etc/passwd"),
        "/to-odd": serve.moved("http:////]"),
        "/noai": serve.body(PICTURE, X_Robots_Tag="noai"),
        "/other-bot": serve.body(PICTURE, X_Robots_Tag="otherbot: noai\nnoindex"),
        "/two-lines": serve.body(PICTURE, X_Robots_Tag="noindex\nall, NoImageAI"),
        "/us": serve.body(PICTURE, X_Robots_Tag="VLE-bench: noai"),
        "/noai-moved": serve.body(b"", code=302, Location="/fine", X_Robots_Tag="noai"),
    }
    return [site.put(path, answer) for path, answer in answers.items()]


def _bomb() -> bytes:
    """A PNG of 40,000 x 40,000 pixels that says so in a few bytes."""
    data = bytearray(picture_bytes(64, 64, kind="PNG"))
    data[16:24] = (40_000).to_bytes(4, "big") * 2
    return bytes(data)


def _heavy() -> serve.Answer:
    """Announces a gigabyte."""

    def answer(handler: serve.Handler) -> None:
        handler.head(200, 1 << 30)
        handler.close_connection = True

    return answer


EXPECTED = {
    "/fine": "success",
    "/fine-as-page": "success",
    "/busy": "success",
    "/too-many": "success",
    "/moved": "success",
    "/relative": "success",
    "/png": "success",
    "/gone": "download: 4xx",
    "/forbidden": "download: 4xx",
    "/missing": "download: 4xx",
    "/broken": "download: 5xx *",
    "/odd": "download: other status",
    "/cut": "download: truncated *",
    "/cut-inside": "download: truncated",
    "/hangs-up": "download: connection *",
    "/page": "download: wrong type",
    "/gif": "download: wrong type",
    "/empty": "download: too small",
    "/dot": "download: too small",
    "/flat": "download: too small",
    "/bomb": "download: too large",
    "/endless": "download: too large",
    "/heavy": "download: too large",
    "/ring": "download: redirects",
    "/to-file": "download: bad address",
    "/to-odd": "download: redirects",
    "/noai": "download: opted out",
    "/other-bot": "success",
    "/two-lines": "download: opted out",
    "/us": "download: opted out",
    "/noai-moved": "download: opted out",
}


def test_every_failure_has_its_class_and_only_passing_ones_are_asked_again(
    site, raw, fetch, capsys
):
    cc3m(raw, bad_world(site))
    assert fetch("--json") == 0
    said = capsys.readouterr()
    assert outcome(raw) == EXPECTED
    told = json.loads(said.out)["pictures"][0]
    classes = Counter(one.rstrip(" *") for one in EXPECTED.values())
    got = classes.pop("success")
    assert (told["got"], told["failed"]) == (got, dict(classes))
    assert told["again"] == sum(one.endswith("*") for one in EXPECTED.values())
    assert "  download: opted out\n" in said.err

    site.log.clear()
    assert fetch("--attempts", 1) == 0
    again = {path for path, one in EXPECTED.items() if one.endswith("*")}
    assert {asked.path for asked in site.log} == again
    assert outcome(raw) == EXPECTED


def test_silence_and_a_drip_end_and_are_asked_again(site, raw, fetch):
    cc3m(raw, [site.put("/hangs", serve.hang()), site.put("/drips", serve.drip(PICTURE))])
    assert fetch("--timeout", 0.6) == 0
    assert set(outcome(raw).values()) == {"download: timeout *"}
    assert site.heard(4)
    site.put("/hangs", serve.body(PICTURE))
    site.put("/drips", serve.body(PICTURE))
    assert fetch() == 0
    assert set(outcome(raw).values()) == {"success"}


def test_run_reads_what_was_fetched_and_books_the_rest_by_class(site, raw, fetch, tmp_path):
    cc3m(raw, [*bad_world(site), "http://no-such-host.invalid/x.jpg", "http://127.0.0.1:99999/x"])
    assert fetch() == 0
    report = prepare(Request(dataset="cc3m", raw=raw, out=tmp_path / "out")).report
    wanted = Counter(one.rstrip(" *") for one in EXPECTED.values())
    wanted.update({"download: dns": 1, "download: bad address": 1})
    written = wanted.pop("success")
    assert report.counts["image"].written == written
    assert report.counts["image"].skipped == dict(wanted)
    rows = read_skipped(tmp_path / "out" / "cc3m" / "skipped.parquet")
    assert {row.reason for row in rows} == set(wanted)


def test_the_same_answers_give_the_same_bytes_whoever_answers_first(
    site, raw, fetch, prep, tmp_path
):
    urls = []
    for number in range(40):
        data = picture_bytes(64 + number, 50)
        slow = 0.05 * ((number * 7) % 5)
        answer = serve.body(data, slow=slow) if number % 4 else serve.status(404)
        urls.append(site.put(f"/{number}.jpg", answer, f"127.0.0.{number % 3 + 1}"))
    cc3m(raw, urls)
    other = tmp_path / "other"
    cc3m(other, urls)
    assert fetch("--concurrency", 16) == 0
    more = ("--delay", 0, "--allow-private", "--split", "train", "--seed", 7)
    assert prep("fetch", "cc3m", "--raw", other, "--concurrency", 2, *more) == 0
    assert tree(raw / "cc3m") == tree(other / "cc3m")
    rows = list(table(raw))
    assert rows == [f"/{number}.jpg" for number in range(40)]


def test_an_address_that_stands_twice_is_asked_once(site, raw, fetch):
    url = site.put("/a.jpg", serve.body(PICTURE))
    cc3m(raw, [url, url, site.put("/b.jpg", serve.body(PICTURE)), url])
    assert fetch() == 0
    assert site.asked("/a.jpg") == 1
    assert list(table(raw)) == ["/a.jpg", "/b.jpg"]


def test_no_host_is_asked_by_more_at_once_than_is_polite(site, raw, prep):
    urls = [
        site.put(f"/{number}", serve.body(PICTURE, slow=0.05), f"127.0.0.{number % 2 + 1}")
        for number in range(24)
    ]
    cc3m(raw, urls)
    more = ("--concurrency", 16, "--per-host", 2, "--delay", 0, "--allow-private")
    assert prep("fetch", "cc3m", "--raw", raw, "--split", "train", *more) == 0
    assert set(site.most_running) == {"127.0.0.1", "127.0.0.2"}
    assert max(site.most_running.values()) <= 2


def test_a_host_that_asks_for_patience_gets_it(site, raw, fetch):
    busy = serve.in_turn(serve.status(429, Retry_After="1"), serve.body(PICTURE))
    urls = [site.put("/busy", busy)]
    urls += [site.put(f"/{n}", serve.body(PICTURE, slow=0.05)) for n in range(9)]
    cc3m(raw, urls)
    assert fetch("--per-host", 1) == 0
    times = [one.at for one in site.log]
    assert site.log[0].path == "/busy"
    assert times[1] - times[0] > 0.9
    assert set(outcome(raw).values()) == {"success"}


def test_a_host_that_asks_for_an_hour_is_left_until_the_next_call(site, raw, fetch):
    urls = [site.put(f"/{n}", serve.status(503, Retry_After="3600")) for n in range(20)]
    cc3m(raw, urls)
    assert fetch("--per-host", 1) == 0
    assert len(site.log) == 1
    assert set(outcome(raw).values()) == {"download: 5xx *"}


def test_a_host_that_stays_silent_is_left_until_the_next_call(site, raw, fetch):
    urls = [site.put(f"/{n}", serve.reset(), "127.0.0.3") for n in range(40)]
    urls.append(site.put("/fine", serve.body(PICTURE)))
    cc3m(raw, urls)
    assert fetch("--per-host", 1) == 0
    assert len([one for one in site.log if one.host == "127.0.0.3"]) == 8
    assert Counter(outcome(raw).values()) == {"download: connection *": 40, "success": 1}


def test_where_nobody_answers_the_machine_is_to_blame(raw, fetch, capsys):
    # Port 9 of addresses that listen to nothing: refused at once, at many hosts.
    cc3m(raw, [f"http://127.0.1.{n % 12 + 1}:9/{n}" for n in range(60)])
    assert fetch() == 4
    assert "Is the network there?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"]
)
def test_private_addresses_are_refused_however_they_are_written(site, raw, fetch, host):
    site.put("/a.jpg", serve.body(PICTURE))
    cc3m(raw, [f"http://{host}:{site.port}/a.jpg"])
    assert fetch(private=False) == 0
    assert outcome(raw)["/a.jpg"] in ("download: private address", "download: bad address")
    assert site.log == []
    # Allowed now, the same addresses are asked after all.
    assert fetch() == 0
    if host == "127.0.0.1":
        assert outcome(raw) == {"/a.jpg": "success"}


def test_each_hop_of_a_redirect_is_judged(site, raw, monkeypatch, fetch):
    from vle_bench.data_prep.fetch import addresses

    # The first name counts as public here, and what it redirects to does not.
    monkeypatch.setattr(addresses, "is_public", lambda text: text == "127.0.0.2")
    cc3m(raw, [site.put("/start", serve.moved(site.url("/inner")), "127.0.0.2")])
    site.put("/inner", serve.body(PICTURE))
    assert fetch(private=False) == 0
    assert outcome(raw) == {"/start": "download: private address"}
    assert [one.path for one in site.log] == ["/start"]


def test_opted_out_pictures_come_only_by_an_explicit_word(site, raw, fetch):
    cc3m(raw, [site.put("/a", serve.body(PICTURE, X_Robots_Tag="noai, noimageai"))])
    assert fetch() == 0
    assert fetch() == 0
    assert site.asked("/a") == 1
    assert fetch("--ignore-opt-out") == 0
    assert outcome(raw) == {"/a": "success"}


def test_we_say_who_we_are(site, raw, fetch):
    cc3m(raw, [site.put("/a", serve.body(PICTURE))])
    fetch()
    headers = site.log[0].headers
    assert headers["user-agent"].startswith("vle-bench/")
    assert headers["host"] == f"127.0.0.1:{site.port}"
    assert "referer" not in headers
    assert "cookie" not in headers


def test_limit_takes_the_first_addresses_and_later_calls_the_rest(site, raw, fetch, capsys):
    urls = [site.put(f"/{n}", serve.body(picture_bytes(64 + n, 64))) for n in range(6)]
    cc3m(raw, urls)
    assert fetch("--limit", 2) == 0
    assert sorted(one.path for one in site.log) == ["/0", "/1"]
    assert "4  beyond --limit" in capsys.readouterr().err
    assert fetch() == 0
    assert len(site.log) == 6
    assert set(outcome(raw).values()) == {"success"}


def test_a_dry_run_asks_nobody_and_writes_nothing(site, raw, fetch, capsys):
    cc3m(raw, [site.put("/a", serve.body(PICTURE))])
    before = tree(raw)
    assert fetch("--dry-run") == 0
    said = capsys.readouterr()
    assert "1  to ask" in said.out
    assert tree(raw) == before
    assert site.log == []


def test_pictures_of_another_tool_are_not_asked_again(site, raw, fetch):
    url = site.put("/a", serve.body(PICTURE))
    key = hashlib.sha1(url.encode()).hexdigest()[:16]
    put(raw / "cc3m" / "pictures" / f"{key}.jpg", PICTURE)
    cc3m(raw, [url, site.put("/b", serve.body(PICTURE))])
    assert fetch() == 0
    assert [one.path for one in site.log] == ["/b"]


def test_pictures_of_another_list_are_not_mixed_in(site, raw, fetch, capsys):
    cc3m(raw, [site.put("/a", serve.body(PICTURE))])
    assert fetch() == 0
    cc3m(raw, [site.put("/b", serve.body(PICTURE))])
    assert fetch() == 3
    assert "these pictures were fetched for another list" in capsys.readouterr().err


def test_a_shard_that_was_lost_is_fetched_again(site, raw, fetch):
    cc3m(raw, [site.put("/a", serve.body(PICTURE)), site.put("/b", serve.status(404))])
    fetch()
    (raw / "cc3m" / "fetched-train" / "00000.tar").unlink()
    fetch()
    assert (site.asked("/a"), site.asked("/b")) == (2, 1)
    assert (raw / "cc3m" / "fetched-train" / "00000.tar").is_file()


def test_sbu_has_its_own_list(site, raw, prep, tmp_path):
    urls = [site.put(f"/{n}_abcdef12.jpg", serve.body(picture_bytes(64 + n, 64))) for n in range(3)]
    urls.append(site.put("/9_abcdef12.jpg", serve.status(404)))
    columns = {"image_urls": urls, "captions": ["a"] * 4, "user_ids": ["u"] * 4}
    put(raw / "sbu" / "sbu-captions-all.json", json.dumps(columns).encode())
    assert prep("fetch", "sbu", "--raw", raw, *FAST, "--allow-private") == 0
    report = prepare(Request(dataset="sbu", raw=raw, out=tmp_path / "out")).report
    assert report.counts["image"].written == 3
    assert report.counts["image"].skipped == {"download: 4xx": 1}


def test_where_a_file_is_named_or_the_lists_alone_are_wanted_no_picture_is_asked(site, raw, fetch):
    cc3m(raw, [site.put("/a", serve.body(PICTURE))])
    assert fetch("--no-pictures") == 0
    assert fetch("--file", LIST) == 0
    assert site.log == []
