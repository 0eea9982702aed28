"""The parts of politeness that need no server, and the two that need a special one."""

from __future__ import annotations

import asyncio
import gc
import ssl
import subprocess
import sys
import threading
import weakref
from http.server import ThreadingHTTPServer
from pathlib import Path

import fetch_server as serve
import pyarrow.parquet as pq
import pytest
from prep_world import picture_bytes

from vle_bench.data_prep.fetch.addresses import Resolver, is_public
from vle_bench.data_prep.fetch.client import Reply, retry_after, target
from vle_bench.data_prep.fetch.failure import Failure
from vle_bench.data_prep.fetch.opt_out import opted_out
from vle_bench.data_prep.fetch.rules import Rules


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.251", False),
        ("239.1.1.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("192.0.2.1", False),
        ("::1", False),
        ("::", False),
        ("::7f00:1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:a9fe:a9fe", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:db8::1", False),
        ("no address", False),
    ],
)
def test_only_addresses_that_anybody_may_have_are_public(address, public):
    assert is_public(address) is public


def test_a_name_that_failed_is_remembered_without_its_exception():
    """An exception holds every frame that it passed: thousands of dead hosts took gigabytes."""

    async def asked_twice():
        resolver = Resolver(allow_private=False, threads=1)
        raised = []
        for _ in range(2):
            with pytest.raises(Failure, match="no public address") as caught:
                await resolver.addresses("127.0.0.1", 80)
            raised.append(weakref.ref(caught.value))
            del caught
        resolver.close()
        return raised, resolver

    raised, resolver = asyncio.run(asked_twice())
    gc.collect()
    assert [one() for one in raised] == [None, None]
    del resolver


@pytest.mark.parametrize(
    ("lines", "declined"),
    [
        ([], ""),
        (["all"], ""),
        (["noindex, nofollow"], ""),
        (["noai"], "noai"),
        (["NoImageAI"], "noimageai"),
        (["noindex,  noai "], "noai"),
        (["noindex", "noimageai"], "noimageai"),
        (["otherbot: noai"], ""),
        (["otherbot: noindex, noai"], ""),
        (["vle-bench: noai"], "noai"),
        (["VLE-Bench: noindex, noai"], "noai"),
        (["*: noai"], "noai"),
        (["otherbot: noai, vle-bench: noimageai"], "noimageai"),
        (["unavailable_after: 25 Jun 2010 15:00:00 PST, noai"], "noai"),
        (["max-snippet: 20, noimageai"], "noimageai"),
        (["unavailable_after: Tue, 25 Jun 2030 15:00:00 GMT, noai"], "noai"),
        (["unavailable_after: Tuesday, 25-Jun-30 15:00:00 GMT, noimageai"], "noimageai"),
        (["otherbot: unavailable_after: Tue, 25 Jun 2030 15:00:00 GMT, noai"], ""),
        (["noindex noai"], "noai"),
        (["noindex; noimageai"], "noimageai"),
        (['"noai"'], "noai"),
        (["otherbot: noindex noai"], ""),
        (["360spider: noai"], ""),
        (["noairplanes", "no-ai", "none"], ""),
    ],
)
def test_an_owner_declines_for_everybody_or_for_one_robot(lines, declined):
    assert opted_out(lines) == declined


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/a",
        "http://",
        "http:///a",
        "//example.org/a",
        "http://user:secret@example.org/a",
        "http://exa mple.org/a",
        "http://[::1/a",
        "http://example.org:port/a",
        "http://example.org:0/a",
        "http://example.org:65536/a",
        "http://example.org/" + "a" * 9000,
        "javascript:alert(1)",
        "",
    ],
)
def test_what_is_no_web_address_is_a_bad_one(url):
    with pytest.raises(Failure) as caught:
        target(url)
    assert (caught.value.reason, caught.value.transient) == ("download: bad address", False)


def test_odd_addresses_are_quoted_as_browsers_do():
    where = target("HTTP://Bücher.Example.org./a picture/ü.jpg?x=[1]#part")
    assert where.host == "xn--bcher-kva.example.org"
    assert where.url.endswith("/a%20picture/%C3%BC.jpg?x=[1]")


def test_redirects_are_read_against_where_they_come_from():
    where = target("https://a.example.org/x/y")
    assert where.joined("../z?q").url == "https://a.example.org/z?q"
    assert where.joined("//b.example.org/").host == "b.example.org"
    with pytest.raises(Failure):
        where.joined("file:///etc/passwd")


@pytest.mark.parametrize(
    ("sent", "leads"),
    [
        (b"/caf\xc3\xa9.jpg", "/caf%C3%A9.jpg"),  # raw UTF-8, as browsers read it
        (b"/caf\xe9.jpg", "/caf%C3%A9.jpg"),  # Latin-1
        (b"/caf%C3%A9.jpg", "/caf%C3%A9.jpg"),
    ],
)
def test_a_redirect_is_read_in_either_encoding(sent, leads):
    reply = Reply(302, {"location": (sent.decode("latin-1"),)}, None)
    where = target("https://a.example.org/x").joined(reply.moved_to)
    assert where.url == f"https://a.example.org{leads}"


@pytest.mark.parametrize(
    "location", ["http:////]", "http:////[x]/a", "//[::1", "http://b.example.org:99999/"]
)
def test_a_redirect_to_nonsense_is_a_failure_of_that_address_alone(location):
    with pytest.raises(Failure) as caught:
        target("https://a.example.org/x").joined(location)
    assert not caught.value.transient


def test_waits_are_drawn_from_the_seed_and_grow_to_a_bound():
    rules = Rules(first_wait=1.0, longest_wait=8.0, seed=3)
    for attempt in range(1, 12):
        waits = [rules.wait_before(attempt, str(key)) for key in range(300)]
        bound = min(8.0, 2.0 ** (attempt - 1))
        assert 0.0 <= min(waits) < 0.1 * bound
        assert 0.9 * bound < max(waits) <= bound
        assert waits == [rules.wait_before(attempt, str(key)) for key in range(300)]
    assert Rules(seed=4).wait_before(1, "a") != rules.wait_before(1, "a")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), ("120", 120.0), ("-1", 0.0), ("1e9", 0.0), ("9" * 40, 1e9), ("Thu, 99", 0.0)],
)
def test_retry_after_is_a_number_or_nothing(value, seconds):
    assert retry_after(value, now=0.0) == seconds


_WITHOUT = """
import sys
sys.modules["httpx"] = None
from vle_bench.console import exit_code
from vle_bench.data_prep.cli import group
sys.exit(exit_code(group, "vle-prep", ["fetch", "sbu", "--raw", sys.argv[1]]))
"""


def test_without_the_extra_it_says_what_to_install(tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", _WITHOUT, str(tmp_path / "raw")], capture_output=True, text=True
    )
    assert told.returncode == 4
    assert "pip install 'vle-bench[fetch]'" in told.stderr
    assert "Traceback" not in told.stderr


def test_help_imports_no_http_client():
    code = (
        "import sys; import vle_bench.data_prep.commands.fetch; "
        "sys.exit(bool({'httpx', 'httpcore', 'asyncio', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An https server with a certificate for `localhost`; gives its port and the names asked."""
    certificate, key = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    site = serve.Site()
    site.put("/a.jpg", serve.body(picture_bytes()))
    handler = type("Bound", (serve.Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that hangs up is what we want
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_address[1], names, certificate, monkeypatch
    server.shutdown()
    server.server_close()


def _certificate(folder: Path) -> tuple[Path, Path]:
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "c.pem").write_bytes(made.public_bytes(encoding))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "k.pem").write_bytes(key.private_bytes(encoding, form, plain))
    return folder / "c.pem", folder / "k.pem"


@pytest.mark.parametrize("trusted", [True, False])
def test_certificates_are_judged_by_the_name_though_the_address_is_connected_to(
    secure, prep, tmp_path, trusted
):
    port, names, certificate, monkeypatch = secure
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    raw = tmp_path / "raw"
    (raw / "cc3m").mkdir(parents=True)
    rows = f"a\thttps://localhost:{port}/a.jpg\nb\thttps://127.0.0.1:{port}/a.jpg\n"
    (raw / "cc3m" / "Train_GCC-training.tsv").write_text(rows)
    more = ("--split", "train", "--allow-private", "--delay", 0, "--attempts", 1)
    assert prep("fetch", "cc3m", "--raw", raw, *more) == 0
    table = pq.read_table(raw / "cc3m" / "fetched-train" / "00000.parquet").to_pylist()
    found = [row["error_message"] or row["status"] for row in table]
    # The certificate is not for the bare address, whoever trusts it.
    assert found == ["success" if trusted else "download: connection", "download: connection"]
    assert [row["final"] for row in table] == [True, True]
    assert "localhost" in names
