import socket
from pathlib import Path

from provision.ports import free_ports, is_free
from provision.record import Record


def test_ports_are_distinct_free_and_below_the_ephemeral_ones() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert all(1024 < port < 32768 and is_free(port) for port in ports)


def test_a_port_on_which_somebody_listens_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_ports_and_password_are_kept_while_the_ports_are_free(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    first = Record.settle(file, "amqp", "epmd")
    assert Record.settle(file, "amqp", "epmd") == first
    assert file.stat().st_mode & 0o077 == 0


def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    first = Record.settle(file, "amqp")
    with socket.create_server(("127.0.0.1", first.ports["amqp"])):
        second = Record.settle(file, "amqp")
    assert second.ports != first.ports
    assert second.password == first.password
