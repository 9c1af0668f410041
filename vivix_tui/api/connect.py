"""How connections are made: proxies and certificates of the surroundings.

Owns: which proxy a host is reached through. httpx reads all proxies of the environment at once and fails on any that
it cannot use, also on those that no call would take. Refuses: requests.
"""

from __future__ import annotations

import ssl
import urllib.request
from urllib.parse import urlsplit

import httpx

from vivix_tui.config import is_loopback
from vivix_tui.domain.text import one_line
from vivix_tui.errors import ConfigError

MAX_PORT = 65_535


def transport_for(url: str, limits: httpx.Limits) -> httpx.AsyncHTTPTransport:
    """A transport to the host of `url`. Raises ConfigError where the surroundings make a connection impossible."""
    proxy = proxy_for(url)
    try:
        if proxy and (httpx.URL(proxy).port or 0) > MAX_PORT:
            raise ValueError(f"the proxy's port is above {MAX_PORT}")  # connecting to it would fail in an odd way
        return httpx.AsyncHTTPTransport(limits=limits, proxy=proxy, trust_env=not _is_here(url))
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
        raise ConfigError(f"no connection can be made with these surroundings: {one_line(str(error))}") from None


def proxy_for(url: str) -> str | None:
    """The proxy of the environment that leads to `url`, None where there is none or it is to be passed by."""
    # A proxy of the environment has no business between this program and its own machine.
    proxies = {} if _is_here(url) else urllib.request.getproxies()
    parts = urlsplit(url)
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return None if proxy and urllib.request.proxy_bypass(parts.netloc) else proxy


def http_proxy_for(url: str) -> str | None:
    """As `proxy_for`, for downloads. Raises ConfigError where it is none that a download can go through."""
    proxy = proxy_for(url)
    if proxy is None:
        return None
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            "downloads can go through an http:// proxy alone", hint="see HTTPS_PROXY, ALL_PROXY, NO_PROXY"
        )
    return parts.geturl()


def tls_context() -> ssl.SSLContext:
    """Whom to trust, the same for downloads as for the API. Raises ConfigError."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ConfigError(f"no connection can be made with these surroundings: {one_line(str(error))}") from None


def _is_here(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def usable_url(url: str) -> httpx.URL:
    """`url` as httpx reads it. Raises ConfigError where it cannot."""
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError, IndexError) as error:
        raise ConfigError(f"{one_line(url, 80)!r} is not a usable address: {one_line(str(error))}") from None
