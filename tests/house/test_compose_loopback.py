"""The file that puts Postgres and RabbitMQ on loopback, for integrators."""

from ipaddress import ip_address
from typing import Any

import yaml

from tests.house.test_compose import COMPOSE, ROOT, SERVICES, filled

OVERRIDE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "loopback.yml").read_text("utf-8"))


def test_it_publishes_the_two_stores_on_loopback_only() -> None:
    assert OVERRIDE.keys() == {"services"}
    assert OVERRIDE["services"].keys() == {"postgres", "rabbitmq"}
    for name, service in OVERRIDE["services"].items():
        (port,) = service["ports"]
        host, _, inside = filled(port).split(":")
        assert ip_address(host).is_loopback
        assert inside == {"postgres": "5432", "rabbitmq": "5672"}[name]
        # An internal network publishes nothing; the services keep the one that they have.
        assert (
            set(SERVICES[name]["networks"]) < set(service["networks"]) <= set(COMPOSE["networks"])
        )
