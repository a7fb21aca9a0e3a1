"""deploy/compose.cluster.yml fits docker-compose.yml, the settings, and the files beside it."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.api.http.protocol import IDLE
from shared.process.settings import ApiSettings
from tests.house.test_compose import COMPOSE, ROOT, SERVICES, filled
from tests.house.test_compose_secrets import make, volumes  # noqa: F401  # a fixture
from tests.servers import absent

CLUSTER = ROOT / "deploy" / "compose.cluster.yml"
FOLDER = ROOT / "deploy" / "cluster"
NODES = ("rabbitmq", "rabbitmq-2", "rabbitmq-3")
DOUBLED = ("api", "relay", "mailer")


class _Loader(yaml.SafeLoader):
    """Reads `!reset`, by which compose takes a value away, as that value."""


_Loader.add_constructor("!reset", lambda loader, node: loader.construct_sequence(node))

FILE: dict[str, Any] = yaml.load(CLUSTER.read_text("utf-8"), _Loader)
ADDED: dict[str, dict[str, Any]] = FILE["services"]
NEW = {name: service for name, service in ADDED.items() if name not in SERVICES}
CONFIGS = COMPOSE["configs"] | FILE["configs"]


@pytest.mark.parametrize("name", NEW)
def test_every_further_container_is_confined(name: str) -> None:
    service = NEW[name]
    assert service["image"].rpartition(":")[2] != "latest"
    assert service["user"] != "root"
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert {"max-size", "max-file"} <= service["logging"]["options"].keys()
    for volume in service.get("volumes", ()):
        source, _, mode = volume.partition(":")
        assert source in COMPOSE["volumes"] | FILE["volumes"]
        assert not source.endswith("-secret") or mode.endswith(":ro")


@pytest.mark.parametrize("name", DOUBLED)
def test_there_are_two_of_each_process(name: str) -> None:
    assert ADDED[name]["deploy"]["replicas"] == 2


def test_callers_come_through_haproxy_and_on_loopback_only() -> None:
    assert ADDED["api"]["ports"] == []
    assert {name for name, service in ADDED.items() if service.get("ports")} == {"haproxy"}
    assert ADDED["haproxy"]["ports"] == SERVICES["api"]["ports"]
    [port] = ADDED["haproxy"]["ports"]
    assert filled(port).startswith("127.0.0.1:")
    assert [name for name, service in NEW.items() if service["networks"] != ["back"]] == ["haproxy"]


def test_each_node_of_rabbitmq_knows_the_others_by_name() -> None:
    text = (FOLDER / "rabbitmq.conf").read_text("utf-8")
    named = re.findall(r"nodes\.\d = rabbit@(\S+)", text)
    assert tuple(named) == NODES
    for name in NODES:
        node = SERVICES.get(name, {}) | ADDED[name]
        assert node["hostname"] == name
        assert node["image"] == SERVICES["rabbitmq"]["image"]
        assert f"{name}:/var/lib/rabbitmq" in node["volumes"]
        sources = {each["source"] for each in node["configs"]}
        assert sources == {"rabbitmq", "rabbitmq-cluster", "rabbitmq-script"}
    assert "cluster_partition_handling = pause_minority" in text


def test_haproxy_knows_all_that_stand_behind_it() -> None:
    text = (FOLDER / "haproxy.cfg").read_text("utf-8")
    assert tuple(re.findall(r"^    server (\S+) +\1:5672 +check$", text, re.MULTILINE)) == NODES
    assert "server-template api 4 api:8080 check" in text
    [kept] = re.findall(r"http-keep-alive (\d+)s", text)
    assert int(kept) < IDLE


def test_an_api_that_ends_is_noticed_before_it_is_gone() -> None:
    text = (FOLDER / "haproxy.cfg").read_text("utf-8")
    found = re.search(r"inter (\d+)s fastinter 1s fall (\d+)", text)
    assert found
    delay = ApiSettings.model_fields["drain_delay"].default.total_seconds()
    assert int(found[1]) * int(found[2]) < delay


def test_haproxy_takes_its_file() -> None:
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        absent("there is no haproxy")
    checked = [program, "-c", "-f", str(FOLDER / "haproxy.cfg")]
    ran = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.sh")), ids=lambda path: path.name)
def test_a_shell_takes_the_script(script: Path) -> None:
    ran = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_file_that_is_named_is_there_and_is_used() -> None:
    files = {(ROOT / each["file"]).resolve() for each in FILE["configs"].values()}
    assert files == set(FOLDER.iterdir())
    used = {each["source"] for service in ADDED.values() for each in service.get("configs", ())}
    assert used <= CONFIGS.keys()
    assert used >= FILE["configs"].keys()


def test_the_secrets_that_it_needs_are_made(volumes: Path) -> None:  # noqa: F811
    made = make(volumes)
    [variable] = ADDED["api"]["environment"]
    assert variable == "DATABASE_REPLICA_URL_FILE"
    assert ApiSettings.model_fields["database_replica_url"]
    path = ADDED["api"]["environment"][variable].removeprefix("/run/secrets/database/")
    replica = made[f"api-database/{path}"].strip()
    assert replica == made["api-database/url"].strip().replace("@postgres:", "@postgres-replica:")
    assert len(made["rabbitmq/cookie"]) == len(made["roles/replica"]) == 64
    assert made["rabbitmq/cookie"] != made["rabbitmq/password"]


def test_mailers_and_relays_find_rabbitmq_where_haproxy_listens(
    volumes: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in ADDED["secrets"]["environment"].items():
        monkeypatch.setenv(name, value)
    assert "@haproxy:5672/ledgerpost" in make(volumes)["amqp/url"]
    assert "    bind :5672\n" in (FOLDER / "haproxy.cfg").read_text("utf-8")
