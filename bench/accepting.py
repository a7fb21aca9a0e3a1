"""Accepted POSTs per second, compared with a bare aiohttp handler that commits the same rows."""

from bench import servers
from bench.client import Client, in_turn, rate_of
from bench.deliveries import CUSTOMERS, PERIOD
from shared.db import sql

CONNECTIONS = 8


def path(number: int) -> str:
    """Return the path that requests a send to one of the customers."""
    start, end = PERIOD
    return f"/api/v3/clients/{1 + number % CUSTOMERS}/transactions/send?from={start}&to={end}"


def run(dsn: str, key: str, *, rounds: int, lasting: float) -> tuple[float, float]:
    """Return the product's rate and the bare handler's: medians, measured in turn."""

    def send(client: Client, number: int) -> None:
        client.post(path(number))

    text, names = sql.numbered(sql.load("services.api.sends").accept)
    queries = {"accept": text, "names": " ".join(names)}
    with (
        servers.product(dsn, key) as ours,
        servers.peer("accept_peer", dsn, key, queries) as bare,
    ):
        for served in (ours, bare):
            rate_of(served, send, CONNECTIONS, 0.5)
        found = in_turn(
            rounds,
            ours=lambda: rate_of(ours, send, CONNECTIONS, lasting),
            bare=lambda: rate_of(bare, send, CONNECTIONS, lasting),
        )
    return found["ours"], found["bare"]
