"""How connections are made: proxies and certificates of the surroundings.

Owns: which proxy a host is reached through. httpx reads all proxies of the environment at once and fails on any that
it cannot use, also on those that no call would take. Refuses: requests.
"""

from __future__ import annotations

import urllib.request
from urllib.parse import urlsplit

import httpx

from vivix_tui.config import is_loopback
from vivix_tui.domain.text import one_line
from vivix_tui.errors import ConfigError

MAX_PORT = 65_535


def transport_for(url: str, limits: httpx.Limits) -> httpx.AsyncHTTPTransport:
    """A transport to the host of `url`. Raises ConfigError where the surroundings make a connection impossible."""
    parts = urlsplit(url)
    # A proxy of the environment has no business between this program and its own machine.
    surroundings = not is_loopback(parts.hostname or "")
    proxies = urllib.request.getproxies() if surroundings else {}
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and urllib.request.proxy_bypass(parts.netloc):
        proxy = None
    try:
        if proxy and (httpx.URL(proxy).port or 0) > MAX_PORT:
            raise ValueError(f"the proxy's port is above {MAX_PORT}")  # connecting to it would fail in an odd way
        return httpx.AsyncHTTPTransport(limits=limits, proxy=proxy, trust_env=surroundings)
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
        raise ConfigError(f"no connection can be made with these surroundings: {one_line(str(error))}") from None


def usable_url(url: str) -> httpx.URL:
    """`url` as httpx reads it. Raises ConfigError where it cannot."""
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError, IndexError) as error:
        raise ConfigError(f"{one_line(url, 80)!r} is not a usable address: {one_line(str(error))}") from None
