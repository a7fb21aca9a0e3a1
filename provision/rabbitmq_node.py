"""Folders, environment and settings of a private RabbitMQ node."""

from dataclasses import dataclass, replace
from pathlib import Path

from provision.account import Account
from provision.record import Record

# Erlang must not use a name server for its own host; a bare container may lack localhost.
_HOSTS = '{host, {127,0,0,1}, ["localhost"]}.\n{lookup, [file, native]}.\n'

# As in docker/rabbitmq.conf, which explains it: a mailer may hold a message for three hours.
_CONSUMER_TIMEOUT = "14400000"  # milliseconds
_ON_LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"


@dataclass(frozen=True)
class Member:
    """A node's place in a cluster, and what it shares with all others: port mapper and password."""

    name: str
    everyone: tuple[str, ...]
    epmd: int
    password: str

    def share(self, record: Record) -> Record:
        """Return a node's own settings, completed by the shared ones."""
        return replace(record, ports=record.ports | {"epmd": self.epmd}, password=self.password)

    def settings(self) -> dict[str, str]:
        """Return the settings by which nodes find one another; a minority stops serving."""
        nodes = {
            f"cluster_formation.classic_config.nodes.{number}": name
            for number, name in enumerate(self.everyone, 1)
        }
        return {
            "cluster_formation.peer_discovery_backend": "classic_config",
            **nodes,
            "cluster_partition_handling": "pause_minority",
        }


def data(folder: Path) -> Path:
    """Return the folder of the node's messages, queues and users."""
    return folder / "data"


def folders(folder: Path) -> list[Path]:
    """Return the folders that must exist before the node starts."""
    return [data(folder), folder / "home"]


def environment(folder: Path, record: Record, member: Member | None = None) -> dict[str, str]:
    """Return the environment of the node and of its command line tools."""
    return {
        "HOME": f"{folder}/home",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(record.ports["epmd"]),
        "ERL_INETRC": f"{folder}/inetrc",
        "ERL_CRASH_DUMP_BYTES": "0",
        "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
        # With this the start script becomes the node, which then has the known process id;
        # -noinput removes its input again.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_START_ARGS": "-noinput",
        "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
        "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
        "RABBITMQ_CTL_ERL_ARGS": _ON_LOOPBACK,
        "RABBITMQ_DIST_PORT": str(record.ports["distribution"]),
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
        "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/data/config",
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_MNESIA_BASE": f"{folder}/data",
        "RABBITMQ_NODENAME": member.name if member else "ledgerpost@localhost",
        "RABBITMQ_PID_FILE": f"{folder}/data/pid",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ON_LOOPBACK,
    }


def write(
    folder: Path,
    record: Record,
    account: Account,
    *,
    management: bool,
    member: Member | None = None,
) -> None:
    """Write the node's settings, its plugins and the secret of its command line tools."""
    ports = record.ports
    settings = {
        "listeners.tcp.1": f"127.0.0.1:{ports['amqp']}",
        "default_user": "ledgerpost",
        "default_pass": record.password,
        "default_user_tags.administrator": "true",
        "consumer_timeout": _CONSUMER_TIMEOUT,
    }
    if management:
        settings["management.tcp.ip"] = "127.0.0.1"
        settings["management.tcp.port"] = str(ports["management"])
    if member:
        settings |= member.settings()
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    plugins = "rabbitmq_management" if management else ""
    account.file(folder / "rabbitmq.conf", lines)
    account.file(folder / "enabled_plugins", f"[{plugins}].\n")
    account.file(folder / "inetrc", _HOSTS)
    account.file(folder / "home" / ".erlang.cookie", record.password)
