"""All that the processes do is possible within the limits of their systemd units."""

import asyncio
import ctypes.util
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from provision.ports import free_ports
from tests.faults.processes import ROOT, Child
from tests.journeys.conftest import MAIL_FROM, System, soon
from tests.journeys.probe import is_answered
from tests.journeys.test_proxy import LIST
from tests.roles import acting
from tests.servers import absent
from tests.services.api.branding.pictures import png
from tests.services.mailer.returns.mail_server import connected

UNITS = ROOT / "deploy" / "systemd"
SECRET = "only-for-tests-" * 3
_EXPECTED = ("rendering_remark", "resource_unwell")


class Confined(Child):
    """A process that starts as in production, within the limits of its unit."""

    as_in_production = True

    def __init__(
        self, unit: str, module: str, word: str, settings: dict[str, str], folder: Path
    ) -> None:
        if shutil.which("systemd-analyze") is None or not ctypes.util.find_library("seccomp"):
            absent("systemd-analyze or libseccomp is not installed")
        path = str(UNITS / f"ledgerpost-{unit}.service")
        super().__init__(unit, ("tests.confined", path, module, word), settings, folder)


@asynccontextmanager
async def confined(
    unit: str, module: str, word: str, settings: dict[str, str], folder: Path
) -> AsyncIterator[Child]:
    """Run a process until it is told to stop; it has to end with status 0."""
    process = Confined(unit, module, word, settings, folder)
    try:
        yield process
        await process.stop()
    finally:
        await process.kill()


async def test_reports_logos_and_mails_are_made_within_the_limits(
    system: System, tmp_path: Path
) -> None:
    port, relay_port, mailer_port, returns_port, listen = free_ports(5)
    api = {
        "DATABASE_URL": acting(system.dsn, "api"), "API_PORT": str(port), "API_WORKERS": "2",
        "DRAIN_DELAY": "0s", "MAIL_FROM": MAIL_FROM,
    }  # fmt: skip
    relay = {"DATABASE_URL": acting(system.dsn, "relay"), "RELAY_OPS_PORT": str(relay_port)}
    mailer = {
        "DATABASE_URL": acting(system.dsn, "mailer"), "MAILER_OPS_PORT": str(mailer_port),
        "SMTP_URL": f"smtp://127.0.0.1:{system.judge.port}", "MAIL_FROM": MAIL_FROM,
        "RETURN_SECRET": SECRET,
    }  # fmt: skip
    returns = {
        "DATABASE_URL": acting(system.dsn, "mailer"), "RETURNS_OPS_PORT": str(returns_port),
        "RETURNS_LISTEN": f"smtp://127.0.0.1:{listen}", "MAIL_FROM": MAIL_FROM,
        "RETURN_SECRET": SECRET,
    }  # fmt: skip
    broker = {"AMQP_URL": system.amqp}
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(confined(*each, tmp_path))
            for each in (
                ("api", "services.api", "serve", api),
                ("relay", "services.api", "relay", relay | broker),
                ("mailer", "services.mailer", "run", mailer | broker),
                ("returns", "services.mailer", "returns", returns),
            )
        ]
        for each in (port, relay_port, mailer_port, returns_port):
            ready = f"http://127.0.0.1:{each}/health/ready"
            await soon(lambda ready=ready: is_answered(ready), 60)  # type: ignore[misc]  # bound
        headers = system.http.headers
        http = await stack.enter_async_context(
            aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers)
        )
        for kind in ("xlsx", "pdf", "csv"):
            async with http.get(LIST, params={"format": kind}) as response:
                assert response.status == 200, kind
                assert len(await response.read()) > 100
        picture = {"Content-Type": "image/png"}
        async with http.put("/api/v3/branding/logo", data=png(), headers=picture) as response:
            assert response.status in {200, 201}, await response.text()
        sent = await system.send()
        assert (await system.settled(sent["id"]))["status"] == "sent"
        [mail] = system.judge.accepted
        async with connected(listen) as server:
            assert await server.deliver(mail.sender) == "250 2.0.0 stored"
        async with system.http.get(f"/api/v3/sends/{sent['id']}") as response:
            assert (await response.json())["status"] == "failed"
    kinds = {part.get_content_type() for part in mail.message.walk()}
    assert {"application/pdf", "image/png"} <= kinds
    for process in processes:
        assert warnings(process) == []


def warnings(process: Child) -> list[str]:
    """What it has warned of, but for letters that no font of this machine has.

    Neither counts what a probe found before a process had connected: each became ready.
    """
    lines = [json.loads(line) for line in process.tail().splitlines() if line.startswith("{")]
    assert lines
    events = [line["event"] for line in lines if line["level"] not in {"info", "debug"}]
    return [each for each in events if each not in _EXPECTED]


@pytest.mark.parametrize("unit", ["api", "relay", "mailer", "returns"])
async def test_a_call_that_a_unit_does_not_allow_is_refused(unit: str, tmp_path: Path) -> None:
    program = tmp_path / "tries.py"
    program.write_text(
        "import ctypes, socket\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "for call in (lambda: socket.socket(socket.AF_NETLINK),\n"
        "             lambda: libc.unshare(0x10000000),\n"
        "             lambda: libc.mount(b'a', b'/', b'b', 0, None)):\n"
        "    try:\n"
        "        print(call(), ctypes.get_errno())\n"
        "    except OSError as error:\n"
        "        print(-1, error.errno)\n"
    )
    process = Confined(unit, "tries", "", {"PYTHONPATH": f"{ROOT}:{tmp_path}"}, tmp_path)
    async with asyncio.timeout(180):
        while process.alive:
            await asyncio.sleep(0.02)
    assert process.tail().splitlines() == ["-1 1"] * 3
