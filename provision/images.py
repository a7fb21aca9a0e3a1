from dataclasses import dataclass


@dataclass(frozen=True)
class Image:
    """A server's public image: ports, data and environment of its container."""

    name: str
    scheme: str
    ports: dict[str, int]
    """The ports inside the container by our name for them; the first is the server's own."""
    data: str
    options: tuple[str, ...]
    """Arguments of `docker run`; {password} stands for the password."""
    command: tuple[str, ...] = ()
    path: str = ""


def postgres(*, durable: bool) -> Image:
    """Return Postgres with the database `ledgerpost`; without `durable` it skips fsync."""
    return Image(
        name="postgres:17-alpine",
        scheme="postgresql",
        path="ledgerpost",
        ports={"postgres": 5432},
        data="/var/lib/postgresql/data",
        options=("-e", "POSTGRES_USER=ledgerpost", "-e", "POSTGRES_PASSWORD={password}"),
        command=("-c", "max_connections=200", "-c", f"fsync={'on' if durable else 'off'}"),
    )


def rabbitmq() -> Image:
    """Return RabbitMQ with its HTTP API."""
    return Image(
        name="rabbitmq:4-management-alpine",
        scheme="amqp",
        ports={"amqp": 5672, "management": 15672},
        data="/var/lib/rabbitmq",
        # The node stores data under its host name, which would otherwise change at each start.
        options=(
            *("--hostname", "ledgerpost"),
            *("-e", "RABBITMQ_DEFAULT_USER=ledgerpost", "-e", "RABBITMQ_DEFAULT_PASS={password}"),
        ),
    )
