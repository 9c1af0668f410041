"""nginx from Debian's packages on loopback, plain and TLS, with a certificate of a CA of its own.

Owns: its configuration, certificate and process. Listens on 127.0.0.1 to 127.0.0.4, so that four files can come from
four hosts. Refuses: a server that is running already.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

HOSTS = tuple(f"127.0.0.{n}" for n in range(1, 5))
_CONFIG = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; types {{ video/mp4 mp4; }}
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    {listen}
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;
    root {folder};
  }}
}}
"""


def binary() -> str | None:
    """Where nginx is; Debian keeps it outside of most users' PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


class Nginx:
    """Serves the files of `folder`; a context manager. `ca` is the file of the CA that its certificate is from."""

    def __init__(self, folder: Path) -> None:
        import trustme  # noqa: PLC0415 - of the development tools: a run without it says so

        self.folder = folder
        self.ca = folder / "ca.pem"
        self.ports = {"plain": _free_port(), "TLS": _free_port()}
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca)
        authority.issue_cert(*HOSTS).private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        listen = "\n".join(
            f"listen {host}:{port}{' ssl' if kind == 'TLS' else ''};"
            for kind, port in self.ports.items()
            for host in HOSTS
        )
        (folder / "nginx.conf").write_text(_CONFIG.format(folder=folder, listen=listen))
        (folder / "nginx.conf").chmod(0o644)

    def url(self, kind: str, name: str, host: str = HOSTS[0]) -> str:
        return f"{'https' if kind == 'TLS' else 'http'}://{host}:{self.ports[kind]}/{name}"

    def __enter__(self) -> Nginx:
        self.folder.chmod(0o755)  # its worker may be another user
        command = [binary() or "nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection((HOSTS[-1], self.ports["TLS"]), 1).close()
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    self._process.kill()
                    raise
                time.sleep(0.05)
            else:
                return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
