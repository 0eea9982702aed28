"""A web server that behaves as badly as real ones do, on this machine, for as long as a test."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_SHORT, _LONG = 0.01, 30.0


@dataclass
class Asked:
    """One request as the server saw it."""

    path: str
    headers: dict[str, str]
    at: float
    host: str


Answer = Callable[["Handler"], None]


@dataclass
class Site:
    """What is served, and what was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    log: list[Asked] = field(default_factory=list)
    running: Counter[str] = field(default_factory=Counter)
    most_running: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    leave: threading.Event = field(default_factory=threading.Event)
    """Set at the end, so that hanging answers end."""
    port: int = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def asked(self, path: str) -> int:
        return sum(one.path == path for one in self.log)

    def heard(self, count: int) -> bool:
        """Whether so many requests came, once they had time to: a client may give up sooner."""
        until = time.monotonic() + _LONG
        while len(self.log) < count and time.monotonic() < until:
            time.sleep(_SHORT)
        return len(self.log) == count

    def put(self, path: str, answer: Answer, host: str = "127.0.0.1") -> str:
        """Serves an answer; returns its address."""
        self.answers[path] = answer
        return self.url(path, host)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def setup(self) -> None:
        sys.settrace(None)  # coverage measures nothing of a server's, and slows it down
        super().setup()

    def do_GET(self) -> None:
        site = self.site
        host = self.headers.get("Host", "").partition(":")[0]
        with site.lock:
            sent = {name.lower(): value for name, value in self.headers.items()}
            site.log.append(Asked(self.path, sent, time.monotonic(), host))
            site.running[host] += 1
            site.most_running[host] = max(site.most_running[host], site.running[host])
        try:
            site.answers.get(self.path, status(404))(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with site.lock:
                site.running[host] -= 1

    def log_message(self, *args: object) -> None:
        """Says nothing."""

    def head(self, code: int, size: int | None, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            for one in value.split("\n"):
                self.send_header(name, one)
        if size is not None:
            self.send_header("Content-Length", str(size))
        self.end_headers()


@contextmanager
def serving() -> Iterator[Site]:
    """A site until the block ends. It listens on every loopback address."""
    site = Site()
    handler = type("Bound", (Handler,), {"site": site})
    server = ThreadingHTTPServer(("0.0.0.0", 0), handler)
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.leave.set()
        server.shutdown()
        server.server_close()


def body(data: bytes, kind: str = "image/jpeg", *, code: int = 200, slow: float = 0.0, **headers):
    """Sends some bytes; `slow` seconds of thought come before."""

    def answer(handler: Handler) -> None:
        time.sleep(slow)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.head(code, len(data), {"Content-Type": kind, **told})
        handler.wfile.write(data)

    return answer


def status(code: int, **headers: str) -> Answer:
    """An empty answer."""
    return body(b"", "text/plain", code=code, **headers)


def in_turn(*answers: Answer) -> Answer:
    """One answer after the other; the last one stays."""
    left = list(answers)
    lock = threading.Lock()

    def answer(handler: Handler) -> None:
        with lock:
            now = left.pop(0) if len(left) > 1 else left[0]
        now(handler)

    return answer


def hang() -> Answer:
    """Never answers."""

    def answer(handler: Handler) -> None:
        handler.site.leave.wait(60)
        handler.close_connection = True

    return answer


def drip(data: bytes, pause: float = 0.05) -> Answer:
    """Byte for byte, never silent for long, never done."""

    def answer(handler: Handler) -> None:
        handler.head(200, len(data), {"Content-Type": "image/jpeg"})
        for place in range(len(data)):
            handler.wfile.write(data[place : place + 1])
            if handler.site.leave.wait(pause):
                return

    return answer


def truncated(data: bytes, size: int) -> Answer:
    """Announces all and sends a part."""

    def answer(handler: Handler) -> None:
        handler.head(200, len(data), {"Content-Type": "image/jpeg"})
        handler.wfile.write(data[:size])
        handler.wfile.flush()
        handler.close_connection = True
        handler.connection.shutdown(2)

    return answer


def reset() -> Answer:
    """Hangs up without a word."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.connection.shutdown(2)

    return answer


def endless() -> Answer:
    """Without a length, and without an end."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        piece = bytes(1 << 16)
        while not handler.site.leave.is_set():
            handler.wfile.write(b"%x\r\n" % len(piece) + piece + b"\r\n")

    return answer


def moved(to: str, code: int = 302) -> Answer:
    return status(code, Location=to)


@dataclass
class Archive:
    """A file with ranges, as S3 and Apache give it.

    Attributes:
        data: Its bytes.
        etag: Its ETag, "" for none.
        breaks: After how many bytes each request in turn breaks off.
        ranges: Whether Range is understood.
        hears_if_range: Whether If-Range is.
    """

    data: bytes
    etag: str = '"one"'
    last_modified: str = ""
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    hears_if_range: bool = True
    lie: int = 0
    """Added to the length that is told."""

    def __call__(self, handler: Handler) -> None:
        headers = {"Content-Type": "application/zip"}
        if self.etag:
            headers["ETag"] = self.etag
        if self.last_modified:
            headers["Last-Modified"] = self.last_modified
        start, code = self._start(handler), 200
        if start >= len(self.data) and start:
            handler.head(416, 0, {"Content-Range": f"bytes */{len(self.data)}"})
            return
        part = self.data[start:]
        if start:
            code = 206
            end = len(self.data) - 1
            headers["Content-Range"] = f"bytes {start}-{end}/{len(self.data)}"
        handler.head(code, len(part) + self.lie, headers)
        stop = self.breaks.pop(0) if self.breaks else None
        handler.wfile.write(part[:stop])
        if stop is not None or self.lie > 0:
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(2)

    def _start(self, handler: Handler) -> int:
        match = re.fullmatch(r"bytes=([0-9]+)-", handler.headers.get("Range", ""))
        condition = handler.headers.get("If-Range", "")
        if not self.ranges or match is None:
            return 0
        if self.hears_if_range and condition and condition not in (self.etag, self.last_modified):
            return 0
        return int(match[1])
