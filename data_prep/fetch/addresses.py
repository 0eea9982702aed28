"""Names to addresses, and which addresses of the internet we connect to at all.

A list of addresses is somebody else's text: `http://169.254.169.254/` in it would
ask the machine's own cloud for its credentials. So a name is resolved once, its
addresses are judged, and the connection goes to a judged address; asking for the
name again later could give another one (DNS rebinding).
Special addresses: https://www.iana.org/assignments/iana-ipv4-special-registry
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from vle_bench.data_prep import web_reasons as reasons
from vle_bench.data_prep.fetch.failure import Failure

_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_MOST_NAMES = 4096
_REMEMBERED_SECONDS = 300.0
_FOR_NOW = frozenset({socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM})


def is_public(text: str) -> bool:
    """Whether an IP address is one that anybody on the internet may have.

    IPv6 addresses that stand for an IPv4 one are judged by that.

    >>> is_public("8.8.8.8"), is_public("10.0.0.1"), is_public("169.254.169.254")
    (True, False, False)
    >>> is_public("::ffff:127.0.0.1"), is_public("64:ff9b::7f00:1"), is_public("fe80::1%eth0")
    (False, False, False)
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.scope_id or address.is_site_local:  # fec0::/10, which is_global lets pass
            return False
        inner = _inner(address)
        if inner is not None:
            return _plainly_public(inner)
    return _plainly_public(address)


def _plainly_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


class _Known(NamedTuple):
    """What came of a name; of a failure the facts, for the exception itself holds its frames."""

    until: float
    addresses: tuple[str, ...]
    reason: str = ""
    detail: str = ""


class Resolver:
    """Resolves names, a few minutes' memory included.

    Args:
        allow_private: Whether any address will do.
        threads: How many names may be asked for at a time.
    """

    def __init__(self, *, allow_private: bool, threads: int) -> None:
        self._allow_private = allow_private
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()
        # The loop's own pool has one thread more than four per core has, far too few.
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="names")

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a host that may be connected to, in the system's order.

        Raises:
            Failure: The name does not resolve, or only to addresses that are not public.
        """
        loop = asyncio.get_running_loop()
        known = self._known.get((host, port))
        if known is None or known.until < loop.time():
            until = loop.time() + _REMEMBERED_SECONDS
            try:
                known = _Known(until, await self._asked(host, port))
            except Failure as failure:
                if failure.transient:
                    raise
                known = _Known(until, (), failure.reason, failure.detail)
            self._remember((host, port), known)
        if known.reason:
            raise Failure(known.reason, known.detail)
        return known.addresses

    def close(self) -> None:
        """Gives the threads back; names still being asked for are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _asked(self, host: str, port: int) -> tuple[str, ...]:
        try:
            rows = await asyncio.get_running_loop().run_in_executor(
                self._threads, _getaddrinfo, host, port
            )
        except socket.gaierror as error:
            transient = error.errno in _FOR_NOW
            raise Failure(reasons.DNS, f"{host}: {error.strerror}", transient=transient) from error
        except (UnicodeError, ValueError, OSError) as error:
            raise Failure(reasons.BAD_ADDRESS, f"{host}: {error}") from error
        found = tuple(dict.fromkeys(rows))
        allowed = tuple(one for one in found if self._allow_private or is_public(one))
        if not allowed:
            raise Failure(
                reasons.PRIVATE,
                f"{host} is {', '.join(found) or 'nowhere'}, no public address",
            )
        return allowed

    def _remember(self, name: tuple[str, int], known: _Known) -> None:
        self._known[name] = known
        self._known.move_to_end(name)
        while len(self._known) > _MOST_NAMES:
            self._known.popitem(last=False)


def _getaddrinfo(host: str, port: int) -> list[str]:
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(row[4][0]) for row in rows]
