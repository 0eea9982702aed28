"""HTTP as we use it: one request at a time, no redirect followed by itself, failures by class.

Built on httpcore, the transport under httpx, because that lets us choose the address
that is connected to; certificates and the Host header still go by the name. Proxies of
the environment are not used: behind one, nobody could check where a request ends.
Source: https://www.encode.io/httpcore/network-backends/
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from email.utils import parsedate_to_datetime
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

from vle_bench.data_prep import web_reasons as reasons
from vle_bench.data_prep.fetch.addresses import Resolver
from vle_bench.data_prep.fetch.failure import Failure
from vle_bench.data_prep.fetch.rules import Rules, user_agent

if TYPE_CHECKING:
    import httpcore

TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_MOST_KEPT_OPEN = 16
"""Idle connections; the pool looks at each of them for every request."""
_KEPT_OPEN_SECONDS = 5.0
_LONGEST_ADDRESS = 8192
_HIGHEST_PORT = 65535
_HOST = re.compile(r"[a-z0-9._:-]{1,253}")


class Target(NamedTuple):
    """Where a request goes."""

    url: str
    scheme: str
    host: str

    def joined(self, location: str) -> Target:
        """Where a redirect of this leads.

        Raises:
            Failure: To no web address.
        """
        import httpx

        try:
            return target(str(httpx.URL(self.url).join(location)))
        except (httpx.InvalidURL, ValueError) as error:  # urllib's own for some odd brackets
            raise Failure(reasons.REDIRECTS, f"redirect to no address: {error}") from error


class Reply(NamedTuple):
    """The head of an answer; the body comes from `pieces`."""

    status: int
    headers: dict[str, tuple[str, ...]]
    """By lower-case name, in their order."""
    pieces: AsyncIterator[bytes]

    def header(self, name: str) -> str:
        """The first value of a header, "" where it is absent."""
        return self.headers.get(name, ("",))[0]

    @property
    def moved_to(self) -> str:
        """Where a redirect points, "" where the answer is none.

        Headers are Latin-1 by the standard, yet addresses with other letters come as UTF-8.
        """
        if self.status not in _MOVED:
            return ""
        told = self.header("location")
        try:
            return told.encode("latin-1").decode("utf-8")
        except UnicodeError:
            return told

    @property
    def length(self) -> int | None:
        """The declared length of the body."""
        text = self.header("content-length")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def target(url: str) -> Target:
    """A web address, its odd characters quoted as browsers do.

    Raises:
        Failure: No web address, or one with a password in it.
    """
    import httpx

    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii").lower().rstrip(".")
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise Failure(reasons.BAD_ADDRESS, str(error)) from error
    named = _HOST.fullmatch(host) is not None
    if parsed.scheme not in ("http", "https") or not named or len(url) > _LONGEST_ADDRESS:
        raise Failure(reasons.BAD_ADDRESS, "no address of http or https")
    if parsed.userinfo:
        raise Failure(reasons.BAD_ADDRESS, "a name and password in the address")
    if parsed.port is not None and not 0 < parsed.port <= _HIGHEST_PORT:
        raise Failure(reasons.BAD_ADDRESS, f"port {parsed.port}")
    return Target(str(parsed.copy_with(fragment=None)), parsed.scheme, host)


def status_failure(reply: Reply, rules: Rules) -> Failure:
    """What an answer that is neither the thing nor a redirect means."""
    status = reply.status
    after = retry_after(reply.header("retry-after"))
    transient = status in TRANSIENT_STATUS and after <= rules.longest_retry_after
    kind = {4: reasons.STATUS_4XX, 5: reasons.STATUS_5XX}.get(status // 100, reasons.OTHER_STATUS)
    told = f"HTTP {status}"
    if status in TRANSIENT_STATUS and not transient:
        # Asked again by the next call: so much patience is more than one call has.
        return Failure(kind, f"{told}, come back in {after:.0f} s", transient=True, after=after)
    return Failure(kind, told, transient=transient, after=after if transient else 0.0)


def retry_after(value: str, now: float | None = None) -> float:
    """Seconds to wait by a Retry-After header, a number or a date; 0 for none or nonsense.

    >>> retry_after("7"), retry_after("soon"), retry_after("")
    (7.0, 0.0, 0.0)
    >>> retry_after("Thu, 01 Jan 1970 00:01:40 GMT", now=40.0)
    60.0
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:12]), 10**9))
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, moment - (time() if now is None else now))


class Client:
    """Asks servers; made by `open_client`."""

    def __init__(self, pool: httpcore.AsyncConnectionPool, rules: Rules) -> None:
        self._pool = pool
        self._rules = rules
        self._agent = user_agent()

    @asynccontextmanager
    async def get(
        self, where: Target, headers: Iterable[tuple[str, str]] = ()
    ) -> AsyncIterator[Reply]:
        """The answer to one GET; its body is read inside the block, or not at all.

        Raises:
            Failure: No answer, or a body that breaks off; also from inside the block.
        """
        import httpx

        parsed = httpx.URL(where.url)
        port = f":{parsed.port}" if parsed.port is not None else ""
        host = f"[{where.host}]" if ":" in where.host else where.host
        sent = [
            ("Host", f"{host}{port}"),
            ("User-Agent", self._agent),
            ("Accept-Encoding", "identity"),
            *headers,
        ]
        rules = self._rules
        limits = {
            "connect": rules.connect_seconds,
            "read": rules.silence_seconds,
            "write": rules.silence_seconds,
            "pool": None,
        }
        with _by_class(where.host):
            async with self._pool.stream(
                "GET",
                _core_url(parsed, where),
                headers=[(name.encode(), value.encode()) for name, value in sent],
                extensions={"timeout": limits},
            ) as response:
                found: dict[str, tuple[str, ...]] = {}
                for name, value in response.headers:
                    key = name.decode("latin-1").lower()
                    found[key] = (*found.get(key, ()), value.decode("latin-1"))
                yield Reply(response.status, found, response.aiter_stream())


@asynccontextmanager
async def open_client(rules: Rules) -> AsyncIterator[Client]:
    """A client that keeps to the rules about addresses and time."""
    import httpcore
    import httpx

    resolver = Resolver(
        allow_private=rules.allow_private, threads=min(64, max(4, rules.concurrency))
    )
    pool = httpcore.AsyncConnectionPool(
        ssl_context=httpx.create_ssl_context(),
        max_connections=rules.concurrency,
        max_keepalive_connections=min(rules.concurrency, _MOST_KEPT_OPEN),
        keepalive_expiry=_KEPT_OPEN_SECONDS,
        network_backend=_guarded(resolver),
    )
    try:
        async with pool:
            yield Client(pool, rules)
    finally:
        resolver.close()


def _core_url(parsed: Any, where: Target) -> Any:
    import httpcore

    return httpcore.URL(
        scheme=where.scheme,
        host=where.host.encode("ascii"),
        port=parsed.port,
        target=parsed.raw_path,
    )


def _guarded(resolver: Resolver) -> Any:
    """A network that connects to judged addresses only."""
    import httpcore

    plain = httpcore.AnyIOBackend()

    class Guarded(httpcore.AsyncNetworkBackend):
        async def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,  # httpcore's signature
            local_address: str | None = None,
            socket_options: Iterable[Any] | None = None,
        ) -> httpcore.AsyncNetworkStream:
            try:
                async with asyncio.timeout(timeout):
                    addresses = await resolver.addresses(host, port)
            except TimeoutError as error:
                raise Failure(reasons.DNS, f"{host}: no answer", transient=True) from error
            failed: httpcore.NetworkError | httpcore.TimeoutException | None = None
            for address in addresses[:2]:
                try:
                    return await plain.connect_tcp(
                        address, port, timeout, local_address, socket_options
                    )
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                    failed = error
            assert failed is not None, "a name that resolves has an address"
            raise failed

        async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError(f"no web server there: {args} {kwargs}")

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds)

    return Guarded()


@contextmanager
def _by_class(host: str) -> Iterator[None]:
    """What goes wrong with a connection, by class."""
    import httpcore

    try:
        yield
    except (httpcore.TimeoutException, TimeoutError) as error:
        told = f"{host}: {str(error) or 'no answer in time'}"
        raise Failure(reasons.TIMEOUT, told, transient=True) from error
    except httpcore.ConnectError as error:
        if isinstance(_root(error), ssl.SSLCertVerificationError):
            raise Failure(reasons.CONNECTION, f"{host}: {error}") from error
        raise Failure(reasons.CONNECTION, f"{host}: {error}", transient=True) from error
    except httpcore.RemoteProtocolError as error:
        if "without sending complete" in str(error) or "incomplete" in str(error):
            raise Failure(reasons.TRUNCATED, f"{host}: {error}", transient=True) from error
        raise Failure(reasons.CONNECTION, f"{host}: {error}", transient=True) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, socket.gaierror) as error:
        raise Failure(reasons.CONNECTION, f"{host}: {error}", transient=True) from error
    except httpcore.UnsupportedProtocol as error:
        raise Failure(reasons.BAD_ADDRESS, f"{host}: {error}") from error


def _root(error: BaseException) -> BaseException:
    """The first cause of an error."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
