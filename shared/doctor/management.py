"""What RabbitMQ tells only over its HTTP API: policies and alarms."""

import asyncio
import http.client
import json
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from shared.amqp import topology
from shared.doctor.checkup import Checkup
from shared.doctor.finding import Said, failure, ok, skipped

_PATIENCE_S = 5.0
_OCTETS_MAX = 4 * 1024 * 1024
_ALARMS = {"mem_alarm": "memory", "disk_free_alarm": "disk"}
# Each deletes messages that were confirmed.
_LOSING = ("message-ttl", "expires")
_DOCS = "see Policies in docs/rabbitmq.md"


@dataclass(frozen=True)
class Management:
    """The HTTP API of the RabbitMQ at `amqp_url`; user and password are those of either URL."""

    url: str
    amqp_url: str

    def get(self, path: str) -> Any:
        """Return what the HTTP API answers. Raises NotThere, or one of _ERRORS."""
        parts, amqp = urlsplit(self.url), urlsplit(self.amqp_url)
        user = parts.username or amqp.username or "guest"
        password = parts.password or amqp.password or "guest"
        secret = b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=_PATIENCE_S, context=context
            )
        else:
            connection = http.client.HTTPConnection(
                parts.hostname or "", parts.port, timeout=_PATIENCE_S
            )
        try:
            connection.request(
                "GET",
                f"{parts.path.rstrip('/')}/api/{path}",
                headers={"Authorization": f"Basic {secret}"},
            )
            answer = connection.getresponse()
            if answer.status == http.client.NOT_FOUND:
                raise NotThere(path)
            if answer.status != http.client.OK:
                raise Refused(f"it answers {answer.status} {answer.reason}")
            return json.loads(answer.read(_OCTETS_MAX))
        finally:
            connection.close()

    @property
    def vhost(self) -> str:
        """The vhost of the AMQP URL, as it is written in a path."""
        return quote(unquote(urlsplit(self.amqp_url).path[1:]) or "/", safe="")


class NotThere(Exception):
    """RabbitMQ has nothing of this name."""


class Refused(Exception):
    """The HTTP API does not answer the question."""


_ERRORS = (Refused, OSError, http.client.HTTPException, ValueError)


async def examine(checkup: Checkup, management: Management, longest: timedelta | None) -> None:
    """Check policies and alarms; `longest` is how long a mailer may hold a message."""
    await checkup.check("rabbitmq.policies", _policies(management, longest))
    await checkup.check("rabbitmq.alarms", _alarms(management))


async def _policies(management: Management, longest: timedelta | None) -> Said | list[Said]:
    findings = []
    for name in sorted(topology.QUEUES):
        try:
            path = f"queues/{management.vhost}/{quote(name, safe='')}"
            queue = await asyncio.to_thread(management.get, path)
        except NotThere:
            continue
        except _ERRORS as error:
            return _unseen(error)
        # RabbitMQ writes an empty list if there is none.
        policy = dict(queue.get("effective_policy_definition") or {})
        findings += [*_losing(name, policy), *_impatient(name, policy, longest)]
    return findings or [ok("no policy deletes messages of our queues")]


def _losing(name: str, policy: Mapping[str, Any]) -> Iterator[Said]:
    keys = [key for key in _LOSING if key in policy]
    if policy.get("overflow") == "drop-head":
        keys.append("overflow")
    if keys:
        yield failure(
            f"a policy deletes messages of {name}, by {', '.join(keys)}",
            f"rabbitmqctl clear_policy, or except ^ledgerpost\\. from its pattern; {_DOCS}",
        )


def _impatient(name: str, policy: Mapping[str, Any], longest: timedelta | None) -> Iterator[Said]:
    patience = policy.get("consumer-timeout")
    if longest is None or name != topology.DELIVERIES or not isinstance(patience, int):
        return
    if timedelta(milliseconds=patience) < longest:
        yield failure(
            f"consumer-timeout of {name} is {patience} ms, and a mailer may hold a message for"
            f" {longest // timedelta(milliseconds=1)} ms",
            "make it longer than that, see docs/install.md",
        )


async def _alarms(management: Management) -> Said | list[Said]:
    try:
        nodes = await asyncio.to_thread(management.get, "nodes")
    except _ERRORS as error:
        return _unseen(error)
    findings = [
        failure(
            f"{node['name']} has an alarm of {resource}: nobody can publish",
            f"free {resource} on that node; RabbitMQ goes on by itself",
        )
        for node in nodes
        for key, resource in _ALARMS.items()
        if node.get(key)
    ]
    return findings or [ok(f"no alarm of memory or disk on {len(nodes)} nodes")]


def _unseen(error: Exception) -> Said:
    return skipped(
        f"the HTTP API of RabbitMQ does not tell: {str(error) or type(error).__name__}",
        "give its user the tag monitoring, or correct --management",
    )
