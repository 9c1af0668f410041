"""Which URLs a download may go to.

Owns: the scheme, the host and the address that it resolves to, for the first URL and every redirect. Refuses:
fetching. An output URL is text of strangers: it must not reach into this network, nor carry a user name.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urljoin, urlsplit

from vivix_tui.config import is_loopback
from vivix_tui.domain.text import one_line

MAX_URL = 8_000
_PROTOCOL_ASSIGNMENTS = IPv4Network("192.0.0.0/24")
_NAT64 = IPv6Network("64:ff9b::/96")
# Forms that carry another address, or lead into a local translation: never of a public server.
_ODD = tuple(map(IPv6Network, ("::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10")))


class ForbiddenURL(ValueError):
    """The URL may not be fetched; the text says why."""


def check_url(url: str, *, loopback: bool) -> tuple[str, int]:
    """(host, port) of a URL that may be fetched as far as its text tells. `loopback` allows http to this machine."""
    shown = one_line(url, 80)
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise ForbiddenURL(f"not a usable URL: {shown}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ForbiddenURL(f"not a usable URL ({error}): {shown}") from None
    if not host or parts.scheme not in ("http", "https"):
        raise ForbiddenURL(f"only https URLs are fetched: {shown}")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenURL("a URL with a user name is not fetched")
    if parts.scheme == "http" and not (loopback and is_loopback(host)):
        raise ForbiddenURL(f"only https URLs are fetched: {shown}")
    return host, port or (443 if parts.scheme == "https" else 80)


def redirected(url: str, location: str) -> str:
    """Where `location` leads from `url`. Raises ForbiddenURL where that is nowhere, or from https to http."""
    try:
        target = urljoin(url, location)
        downgraded = urlsplit(url).scheme == "https" and urlsplit(target).scheme == "http"
    except ValueError:
        raise ForbiddenURL(f"not a usable URL: {one_line(location, 80)}") from None
    if downgraded:
        raise ForbiddenURL(f"a redirect from https to http is not followed: {one_line(target, 80)}")
    return target


def addresses_of(host: str, port: int, *, loopback: bool, private: bool) -> list[str]:
    """The addresses of `host`, all of them checked; blocks. A connection has to go to one of these, and not to what
    the name resolves to a moment later. Raises ForbiddenURL where any of them is not a public one (or an allowed
    exception), OSError where the name cannot be resolved."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise ForbiddenURL(f"not a usable host name: {one_line(host, 60)}") from None
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for address in addresses:
        ip = ip_address(address.partition("%")[0])
        allowed = (loopback and ip.is_loopback) or (private and not ip.is_multicast and not ip.is_unspecified)
        if not allowed and not is_public(ip):
            raise ForbiddenURL(f"{one_line(host, 60)} is not a public address")
    return addresses


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Whether `ip` is a globally reachable host; of an address that carries another one, whether that one is."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(ip.ipv4_mapped)
        if ip in _NAT64:
            return is_public(IPv4Address(int(ip) & 0xFFFFFFFF))
        if any(ip in network for network in _ODD):
            return False
    elif ip in _PROTOCOL_ASSIGNMENTS:
        return False
    return ip.is_global and not ip.is_multicast
