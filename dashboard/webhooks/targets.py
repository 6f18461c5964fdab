"""One bounded HTTP request to an address that somebody else chose.

The name is resolved once, each address is checked, and the connection goes to an address that passed: a name that points
somewhere else a moment later changes nothing. Redirects aren't followed. Whatever the target does (hang, drip bytes, send a
gigabyte), it is over after TOTAL_S. The standard library's client serves, since address and end need its socket anyway.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

TOTAL_S = 10.0
CONNECT_S = 5.0
ANSWER_BYTES = 64 * 1024
"""More of an answer is never read."""
MAX_URL = 2_000
USER_AGENT = "attendance-kiosk"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
EVERYWHERE: tuple[Network, ...] = (ipaddress.IPv4Network("0.0.0.0/0"), ipaddress.IPv6Network("::/0"))
"""For addresses that the operator has set: no private one is refused."""


class BadTarget(ValueError):
    """An address that nothing is sent to; the message says why."""


class Unreachable(OSError):
    """No answer came; the message says why, in one line."""


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    """The beginning of it."""
    retry_after_s: int | None


def parse(url: str) -> SplitResult:
    """The parts of a URL that may be a target; raises BadTarget. Where it leads is looked at when something is sent."""
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise BadTarget(f"URL: use at most {MAX_URL} printable ASCII characters without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadTarget(f"URL {url[:80]!r}: not readable ({error})") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise BadTarget(f"URL {url[:80]!r}: write it as https://host/path")
    if parts.username is not None or parts.password is not None or parts.fragment or port == 0 or "\\" in url:
        raise BadTarget(f"URL of {parts.hostname}: no user, password, fragment, backslash or port 0 in it")
    return parts


def _plain(address: Address) -> Address:
    """The IPv4 address that is meant by an IPv6 one which carries it."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour
        if inside is None and address in NAT64:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return inside or address
    return address


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def checked_addresses(parts: SplitResult, private: Iterable[Network]) -> list[tuple[Any, Any]]:
    """Family and socket address of each place that may be connected to; raises BadTarget or Unreachable."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host, networks = str(parts.hostname), tuple(private)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host}: its address isn't found ({error})") from None
    allowed = []
    for family, _, _, _, where in found:
        address = _plain(ipaddress.ip_address(str(where[0]).partition("%")[0]))
        own = not _is_public(address) and _is_in(address, networks)
        if own or (_is_public(address) and parts.scheme == "https"):
            allowed.append((family, where))
    if not allowed:
        raise BadTarget(
            f"{host}: nothing is sent to private addresses, nor without https to others; the operator can allow a network "
            "with ATTENDANCE_DASHBOARD_PRIVATE_TARGETS"
        )
    return allowed


class _Pinned(http.client.HTTPConnection):
    """A connection to addresses that were checked, with TLS for the name in the URL; cut off after TOTAL_S."""

    def __init__(self, parts: SplitResult, addresses: list[tuple[Any, Any]], context: ssl.SSLContext | None) -> None:
        super().__init__(str(parts.hostname), parts.port, timeout=CONNECT_S)
        self.default_port = 443 if context else 80
        self.addresses, self.context, self.cut_off = addresses, context, False
        self.raw: socket.socket | None = None

    def connect(self) -> None:
        trouble: OSError | None = None
        for family, where in self.addresses[:4]:
            raw = self.raw = socket.socket(family, socket.SOCK_STREAM)
            raw.settimeout(CONNECT_S)
            try:
                raw.connect(where)
                break
            except OSError as error:
                trouble = error
                raw.close()
        else:
            raise trouble or OSError("no address")
        raw.settimeout(TOTAL_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self.context.wrap_socket(raw, server_hostname=self.host) if self.context else raw
        self.raw = self.sock

    def cut(self) -> None:
        self.cut_off = True
        if self.raw is not None:
            with contextlib.suppress(OSError):  # it is over already
                socket.socket.shutdown(self.raw, socket.SHUT_RDWR)


def send(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    private: Iterable[Network] = (),
    context: ssl.SSLContext | None = None,
) -> Reply:
    """Send one request; the answer, whatever its status. Raises BadTarget and Unreachable. `context` is for tests' own CAs."""
    parts = parse(url)
    addresses = checked_addresses(parts, private)
    tls = (context or ssl.create_default_context()) if parts.scheme == "https" else None
    connection = _Pinned(parts, addresses, tls)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    end = threading.Timer(TOTAL_S, connection.cut)
    end.daemon = True
    end.start()
    try:
        connection.request(
            method, path, body=body, headers={"User-Agent": USER_AGENT, "Connection": "close", **headers}
        )
        answer = connection.getresponse()
        text = answer.read(ANSWER_BYTES)
        if connection.cut_off:
            raise Unreachable(f"{parts.hostname}: took longer than {TOTAL_S:.0f} s")
        return Reply(answer.status, text, _seconds(answer.headers.get("Retry-After")))
    except (OSError, http.client.HTTPException, ValueError) as error:
        if connection.cut_off or isinstance(error, TimeoutError):
            raise Unreachable(f"{parts.hostname}: took longer than {TOTAL_S:.0f} s") from None
        if isinstance(error, Unreachable):
            raise
        words = str(error).replace("\n", " ")[:200] or type(error).__name__
        raise Unreachable(f"{parts.hostname}: {words}") from None
    finally:
        end.cancel()
        connection.close()


def _seconds(text: str | None) -> int | None:
    """Retry-After as a number; dates are left aside, our own pauses serve as well."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 6 else None
