"""A real Prometheus with the rules that we ship, which only have shorter times."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml

from provision.ports import free_ports
from tests.servers import absent

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "deploy" / "observability"
RULES: dict[str, Any] = yaml.safe_load((SHIPPED / "alerts.yml").read_text("utf-8"))
DASHBOARD: dict[str, Any] = json.loads(
    (SHIPPED / "grafana" / "dashboards" / "ledgerpost.json").read_text("utf-8")
)
WINDOW = "30s"  # in which rates are counted; Prometheus asks every second


def program(name: str) -> str:
    """Return the path of a program of Prometheus, or skip the test."""
    found = shutil.which(name)
    return found or absent(f"there is no {name}: Debian's package prometheus has it")


def rules() -> list[dict[str, Any]]:
    """The rules that we ship."""
    found: list[dict[str, Any]] = RULES["groups"][0]["rules"]
    return found


def shortened() -> dict[str, Any]:
    """The rules with the same expressions, but shorter windows, and no time that they must hold."""
    for_tests = [rule | {"expr": windowed(rule["expr"]), "for": "0s"} for rule in rules()]
    return {"groups": [{"name": "ledgerpost", "interval": "1s", "rules": for_tests}]}


def windowed(expression: str) -> str:
    """The expression with the short window in the place of each of its own."""
    return re.sub(r"\[(\d+[smh]|\$__rate_interval)\]", f"[{WINDOW}]", expression)


@dataclass(frozen=True)
class Firing:
    """An alert that fires."""

    name: str
    summary: str


class Prometheus:
    """A Prometheus on a free port, for `async with`; `targets` has the port of each job."""

    def __init__(self, folder: Path, targets: Mapping[str, int]) -> None:
        self._binary = program("prometheus")
        self._folder = folder
        self._targets = targets
        (port,) = free_ports(1)
        self._address = f"127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._start()
        self._http = aiohttp.ClientSession(f"http://{self._address}")
        async with asyncio.timeout(180):
            while not await self._ready():
                await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._http is not None
        assert self._process is not None
        await self._http.close()
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    async def firing(self) -> dict[str, Firing]:
        """The alerts that fire now, by name."""
        data = await self._get("/api/v1/alerts")
        return {
            each["labels"]["alertname"]: Firing(
                each["labels"]["alertname"], each["annotations"]["summary"]
            )
            for each in data["alerts"]
            if each["state"] == "firing"
        }

    async def query(self, expression: str) -> list[Any]:
        """The series of an expression now. Raises AssertionError if Prometheus refuses it."""
        data = await self._get("/api/v1/query", query=windowed(expression))
        found: list[Any] = data["result"]
        return found

    async def over_time(self, expression: str, begin: float, end: float, step: float) -> list[Any]:
        """The series of an expression with their values from `begin` to `end`."""
        data = await self._get(
            "/api/v1/query_range",
            query=windowed(expression),
            start=f"{begin:.3f}",
            end=f"{end:.3f}",
            step=f"{step:.3f}",
        )
        found: list[Any] = data["result"]
        return found

    async def _get(self, path: str, **params: str) -> Any:
        assert self._http is not None
        async with self._http.get(path, params=params) as response:
            answer = await response.json()
        assert answer["status"] == "success", answer
        return answer["data"]

    async def _ready(self) -> bool:
        assert self._http is not None
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "prometheus.log").read_text()
        try:
            async with self._http.get("/-/ready") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    def _start(self) -> None:
        self._configure()
        with (self._folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self._binary,
                    f"--config.file={self._folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._folder / 'tsdb'}",
                    f"--web.listen-address={self._address}",
                    "--log.level=warn",
                ],
                stdout=log,
                stderr=log,
            )

    def _configure(self) -> None:
        shipped = yaml.safe_load((SHIPPED / "prometheus.yml").read_text("utf-8"))
        shipped["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        shipped["scrape_configs"] = [
            {
                "job_name": name,
                "static_configs": [{"targets": [f"127.0.0.1:{self._targets[name]}"]}],
            }
            for job in shipped["scrape_configs"]
            if (name := job["job_name"]) in self._targets
        ]
        (self._folder / "prometheus.yml").write_text(yaml.safe_dump(shipped))
        (self._folder / "alerts.yml").write_text(yaml.safe_dump(shortened()))
