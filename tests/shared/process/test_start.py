from shared.process import start
from tests.logged import Logged


def test_the_first_line_names_the_neighbours_and_no_secret(logged: Logged) -> None:
    start.tell(
        "relay",
        Postgres="postgresql://user:s3cret@one:5432/ledger?password=s3cret",
        RabbitMQ="amqp://user:s3cret@a:5672,b:5672/%2Fmail",
    )
    (event,) = logged()
    assert event["event"] == (
        "Ledgerpost 0.1.0 relay, Postgres at one:5432/ledger, RabbitMQ at a:5672,b:5672//mail"
    )
    assert "s3cret" not in str(event)


def test_a_socket_has_no_host() -> None:
    assert start.place("postgresql:///ledger?host=/run/postgresql") == "a socket/ledger"
