"""nginx and Caddy as deploy/proxy configures them, on ports of their own, if they are installed."""

import asyncio
import os
import re
import shutil
import ssl
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from provision.ports import free_ports
from tests.judge.certificate import self_made
from tests.servers import ROOT, absent

DEPLOY = ROOT / "deploy" / "proxy"
KINDS = ("nginx", "caddy")
# What the package of nginx has around a site.
_NGINX = """\
daemon off;
pid {folder}/nginx.pid;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass
class Proxy:
    """A running proxy: its address, how to trust it, and everything that it has logged."""

    url: str
    trust: ssl.SSLContext
    logs: tuple[Path, ...]

    def logged(self) -> str:
        return "".join(path.read_text("utf-8", "replace") for path in self.logs if path.exists())


@asynccontextmanager
async def proxy(kind: str, apis: Sequence[int], folder: Path) -> AsyncIterator[Proxy]:
    """Run a proxy of a kind in front of APIs on these ports."""
    program = shutil.which(kind) or shutil.which(kind, path="/usr/sbin")
    if program is None:
        absent(f"{kind} is not installed")
    certificate, _ = self_made(folder)
    port, plain = free_ports(2)
    write = {"nginx": _nginx, "caddy": _caddy}[kind]
    command = write(folder, port, plain, apis)
    output = folder / f"{kind}.output"
    with output.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            program, *command, stdout=log, stderr=log,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )  # fmt: skip
    try:
        await _listens(process, port)
        trust = ssl.create_default_context(cafile=certificate)
        logs = (output, folder / "ledgerpost.log", folder / "ledgerpost.error.log")
        yield Proxy(f"https://127.0.0.1:{port}", trust, logs)
    finally:
        process.terminate()
        await process.wait()


def _nginx(folder: Path, port: int, plain: int, apis: Sequence[int]) -> list[str]:
    """Write our site and what stands around it; return the command's words."""
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    server = re.search(r"server 127\.0\.0\.1:8080([^\n]*)", text)
    assert server
    servers = "\n".join(f"server 127.0.0.1:{api}{server[1]}" for api in apis)
    for old, new in (
        (server[0], servers),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        ("/etc/ssl/ledgerpost.crt", str(folder / "cert.pem")),
        ("/etc/ssl/ledgerpost.key", str(folder / "key.pem")),
        ("/var/log/nginx", str(folder)),
    ):
        text = _replaced(text, old, new)
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder))
    return ["-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "early.log")]


def _caddy(folder: Path, port: int, plain: int, apis: Sequence[int]) -> list[str]:
    """Write our site with a certificate of its own; return the command's words."""
    text = (DEPLOY / "Caddyfile").read_text("utf-8")
    files = f"{folder}/cert.pem {folder}/key.pem"
    for old, new in (
        ("reports.example.com {", f"https://127.0.0.1:{port} {{"),
        ("# tls /etc/ssl/ledgerpost.crt /etc/ssl/ledgerpost.key", f"tls {files}"),
        ("reverse_proxy 127.0.0.1:8080 ", f"reverse_proxy {_addresses(apis)} "),
    ):
        text = _replaced(text, old, new)
    around = f"{{\nadmin off\nauto_https disable_redirects\nhttp_port {plain}\n}}\n"
    (folder / "Caddyfile").write_text(around + text)
    return ["run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _addresses(apis: Sequence[int]) -> str:
    return " ".join(f"127.0.0.1:{api}" for api in apis)


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"deploy/proxy no longer has {old!r}"
    return text.replace(old, new)


async def _listens(process: Process, port: int) -> None:
    async with asyncio.timeout(180):
        while True:
            assert process.returncode is None, "it has ended: see its output"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
