import json
import re
import shutil
import subprocess
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from services.api import app
from services.api.http.server import Server
from services.api.relay import database_loops as relay_app
from services.mailer.returns.limits import Limits
from services.mailer.smtp.smarthost import Timeouts
from shared.process.environment import OLD_NAMES
from shared.process.returns_settings import ReturnsSettings
from shared.process.settings import (
    ApiSettings,
    DatabaseSettings,
    MailerSettings,
    RelaySettings,
    Settings,
)

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOTS = ("secrets", "roles", "migrate", "demo")
SERVERS = tuple(name for name in SERVICES if name not in ONE_SHOTS)
SETTINGS: dict[str, type[Settings]] = {
    "migrate": DatabaseSettings,
    "api": ApiSettings,
    "relay": RelaySettings,
    "mailer": MailerSettings,
    "returns": ReturnsSettings,
}
NEW_NAMES = {old: new for new, old in OLD_NAMES.items()}

every_service = pytest.mark.parametrize("name", SERVICES)
every_server = pytest.mark.parametrize("name", SERVERS)
every_one_shot = pytest.mark.parametrize("name", ONE_SHOTS)


def environment(name: str) -> dict[str, str | None]:
    """The variables of a service in the file; None if the caller's value is passed on."""
    given: dict[str, str | None] = SERVICES[name].get("environment", {})
    return given


def filled(value: str) -> str:
    """The value with the default of each ${NAME:-default}, innermost first."""
    while (shorter := re.sub(r"\$\{\w+:-([^${}]*)\}", r"\1", value)) != value:
        value = shorter
    return value


def duration(text: str) -> timedelta:
    match = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", text)
    assert match
    return timedelta(minutes=int(match[1] or 0), seconds=int(match[2] or 0))


def mounted(name: str) -> dict[str, str]:
    """The folders and files of secrets by mount point, all of them read-only."""
    places = {f"/run/secrets/{secret}": secret for secret in SERVICES[name].get("secrets", ())}
    for volume in SERVICES[name].get("volumes", ()):
        source, target, *mode = volume.split(":")
        if source.endswith("-secret") and name != "secrets":
            assert mode == ["ro"]
            places[target] = source
    return places


@every_service
def test_every_image_has_a_version(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert tag != "latest"


def test_the_api_has_the_memory_for_all_that_it_makes_at_a_time() -> None:
    """The kernel would end the process that typesets a preview, and the caller have a 500."""
    limit = SERVICES["api"]["deploy"]["resources"]["limits"]["memory"]
    assert int(limit.removesuffix("M")) >= 120 + app._PREVIEWS * 650 + app._FILES * 220


@every_service
def test_every_container_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert {"max-size", "max-file"} <= service["logging"]["options"].keys()
    assert not {"privileged", "devices", "pid", "ipc"} & service.keys()


@every_service
def test_nobody_is_root_but_who_makes_the_secrets_without_a_network(name: str) -> None:
    service = SERVICES[name]
    if name == "secrets":
        assert service["network_mode"] == "none"
    elif not service["image"].startswith("ledgerpost"):
        assert re.fullmatch(r"[a-z]+|[1-9]\d*:[1-9]\d*", service["user"])
        assert service["user"] != "root"


@every_server
def test_a_server_is_watched_and_comes_back(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()


@every_one_shot
def test_a_one_shot_ends_and_is_waited_for(name: str) -> None:
    assert SERVICES[name]["restart"] == "no"
    waiting = [
        service["depends_on"][name]["condition"]
        for service in SERVICES.values()
        if name in service.get("depends_on", {})
    ]
    assert waiting
    assert set(waiting) == {"service_completed_successfully"}


@every_service
def test_a_dependency_is_there_before_what_needs_it(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        ends = other in ONE_SHOTS
        expected = "service_completed_successfully" if ends else "service_healthy"
        assert how["condition"] == expected
        # What another profile has may not be there.
        of_others = set(SERVICES[other].get("profiles", ())) - set(
            SERVICES[name].get("profiles", ())
        )
        assert how.get("required", True) is not bool(of_others)


@every_service
def test_no_secret_stands_in_an_environment(name: str) -> None:
    for variable, value in environment(name).items():
        if variable.endswith("_FILE"):
            assert value is not None
            places = mounted(name)
            assert any(value == place or value.startswith(f"{place}/") for place in places)
            continue
        assert not re.search("PASS|SECRET|TOKEN|(?<!PUBLIC)(?<!API)(?<!INBOX)_URL", variable)
        assert urlsplit(filled(value or "")).password is None


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_are_known_and_complete(name: str, tmp_path: Path) -> None:
    urls = {
        "DATABASE_URL_FILE": "postgresql://user:pass@postgres/ledgerpost",
        "AMQP_URL_FILE": "amqp://user:pass@rabbitmq/ledgerpost",
        "SMTP_URL_FILE": (ROOT / "docker" / "smtp_url").read_text("utf-8"),
        "UNSUBSCRIBE_SECRET_FILE": "0" * 64,
        "RETURN_SECRET_FILE": "1" * 64,
        "UNSUBSCRIBE_SECRET_OLD_FILE": "",
        "RETURN_SECRET_OLD_FILE": "",
        "DKIM_KEYS_FILE": (ROOT / "docker" / "dkim_keys").read_text("utf-8"),
    }
    given = {}
    for variable, value in environment(name).items():
        known = variable.removesuffix("_FILE")
        assert NEW_NAMES.get(known, known).lower() in SETTINGS[name].model_fields
        if variable in urls:
            (tmp_path / variable).write_text(urls[variable], "utf-8")
            given[variable] = str(tmp_path / variable)
        elif value is not None:
            given[variable] = filled(value)
    SETTINGS[name].from_environ(given)


def test_who_reads_which_secret() -> None:
    readers = {name: set(mounted(name).values()) for name in SERVICES if name != "secrets"}
    assert readers == {
        "postgres": {"postgres-secret"},
        "roles": {"postgres-secret", "roles-secret"},
        "rabbitmq": {"rabbitmq-secret"},
        "mailpit": set(),
        "prometheus": set(),
        "grafana": set(),
        "migrate": {"database-secret"},
        "demo": {"database-secret"},
        "api": {"api-database-secret", "unsubscribe-secret", "return-secret"},
        "relay": {"relay-database-secret", "amqp-secret"},
        "mailer": {
            "mailer-database-secret",
            "amqp-secret",
            "unsubscribe-secret",
            "return-secret",
            "smtp_url",
            "dkim_keys",
        },
        "returns": {"mailer-database-secret", "return-secret"},
    }


def test_only_what_people_look_at_is_published_and_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"api", "mailpit", "prometheus", "grafana", "returns"}
    for (port,) in published.values():
        host, _, _ = filled(port).split(":")
        assert ip_address(host).is_loopback
        assert filled(port) != port  # it can be another


def test_postgres_and_rabbitmq_have_no_way_out() -> None:
    assert COMPOSE["networks"]["back"] == {"internal": True}
    for name in ("postgres", "rabbitmq", "roles", "migrate", "relay"):
        assert SERVICES[name]["networks"] == ["back"]
    assert SERVICES["mailpit"]["networks"] == ["edge"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("api", "api_port"),
        ("relay", "relay_ops_port"),
        ("mailer", "mailer_ops_port"),
        ("returns", "returns_ops_port"),
    ],
)
def test_the_health_check_asks_the_port_that_the_image_sets(name: str, field: str) -> None:
    set_in_image = re.search(rf"{field.upper()}=(\d+)", (ROOT / "Dockerfile").read_text("utf-8"))
    assert set_in_image
    probe = SERVICES[name]["healthcheck"]["test"][-1]
    assert f"http://127.0.0.1:{set_in_image[1]}/health/ready" in probe


def test_the_mailer_may_finish_the_mail_at_the_gate() -> None:
    longest = timedelta(seconds=Timeouts().to_gate + Timeouts().final)
    assert duration(SERVICES["mailer"]["stop_grace_period"]) > longest


def test_the_api_and_the_relay_may_finish_what_is_at_work() -> None:
    given = ApiSettings(database_url="postgresql://h/d")  # type: ignore[arg-type]
    never_loaded: Any = None
    server = Server(given, never_loaded, None, last_step=relay_app.LAST_STEP)
    requests = timedelta(seconds=server.cfg.graceful_timeout)
    assert duration(SERVICES["api"]["stop_grace_period"]) > requests
    steps = timedelta(seconds=relay_app.LAST_STEP)
    assert duration(SERVICES["relay"]["stop_grace_period"]) > steps
    receiving = timedelta(seconds=Limits().closing_s)
    assert duration(SERVICES["returns"]["stop_grace_period"]) > receiving


def test_docker_takes_the_file() -> None:
    if shutil.which("docker") is None:
        pytest.skip("there is no docker command")
    docker = ["docker", "compose", "--profile", "*"]
    if subprocess.run([*docker, "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker has no compose")
    config = [*docker, "-f", str(ROOT / "docker-compose.yml"), "config", "--format", "json"]
    ran = subprocess.run(config, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["services"].keys() == SERVICES.keys()
