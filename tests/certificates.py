"""Certificates that are good, and certificates that are bad in one way each; made for one test by `trustme`."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import trustme

from tests.srv import Connection, Srv

GOOD = "good"
BAD = {
    "self-signed": "self.signed",  # OpenSSL 1.1.1 writes a blank, later ones a hyphen
    "unknown issuer": "issuer",
    "expired": "has expired",
    "not valid yet": "not yet valid",
    "wrong host": "not valid for",
}
"""What is wrong with a certificate, and a pattern of the words that have to be told of it."""


class Authority:
    """An issuer that is trusted by whoever has SSL_CERT_FILE set to `file`."""

    def __init__(self, folder: Path) -> None:
        self._trusted = trustme.CA()
        self.file = folder / "authority.pem"
        self._trusted.cert_pem.write_to_path(str(self.file))

    def context(self, kind: str, host: str) -> ssl.SSLContext:
        """A server's side of TLS for `host`, with a certificate that is GOOD, or BAD in this way and in no other."""
        made, year = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), datetime.now(UTC).year
        stranger = trustme.CA()
        if kind == "self-signed":
            with trustme.Blob(stranger.private_key_pem.bytes() + stranger.cert_pem.bytes()).tempfile() as file:
                made.load_cert_chain(file)
            return made
        begins, ends = (2020, 2021) if kind == "expired" else (2020, year + 2)
        begins = year + 1 if kind == "not valid yet" else begins
        (stranger if kind == "unknown issuer" else self._trusted).issue_cert(
            "wrong.test" if kind == "wrong host" else host,
            not_before=datetime(begins, 1, 1, tzinfo=UTC),
            not_after=datetime(ends, 1, 1, tzinfo=UTC),
        ).configure_cert(made)
        return made


def tunnel(srv: Srv, tls: ssl.SSLContext) -> list[str]:
    """Makes `srv` a proxy that plays every https host itself; returns what becomes of each handshake."""
    handshakes: list[str] = []

    def open_tunnel(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        handshakes.append("failed")
        connection.socket = tls.wrap_socket(connection.socket, server_side=True)
        handshakes[-1] = "done"

    srv.on("CONNECT", "*", lambda r: open_tunnel)
    return handshakes
