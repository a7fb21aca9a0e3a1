"""Mails per second from a full queue into smtp-sink: the mailer, Celery, Nodemailer, the limits."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from email import message_from_bytes, policy

import asyncpg

from bench import deliveries, servers
from bench.postfix import Sink
from bench.servers import ROOT, VENV
from services.mailer.preview import preview
from shared.db import sql
from shared.mail.mailbox import Mailbox

PEERS = ROOT / "bench" / "peers"
NODE = PEERS / "nodemailer"


class Field:
    """The conditions that all programs of a run share: servers, sink, mail, connections."""

    def __init__(self, dsn: str, amqp: str, sink: Sink, connections: int) -> None:
        self.dsn, self.amqp, self.sink, self.connections = dsn, amqp, sink, connections
        self.mail = ROOT / "var" / "bench" / "mail.json"
        self.queries = ROOT / "var" / "bench" / "queries.json"
        self.octets = 0

    def prepare(self) -> None:
        """Write the mail that all programs send, as the product composes it."""
        deliveries.clear(self.dsn, self.amqp)
        deliveries.queue(self.dsn, self.amqp, 20)

        async def composed(conn: asyncpg.Connection) -> dict[str, bytes]:
            send = await conn.fetchval("SELECT id FROM sends ORDER BY id LIMIT 1")
            sender = Mailbox.parse("Ledgerpost <post@ledgerpost.example>")
            return await preview(self.dsn, sender, None, send, pdf=False)

        made = deliveries.on(self.dsn, composed)
        self.octets = len(made["message.eml"])
        subject = message_from_bytes(made["message.eml"], policy=policy.default)["Subject"]
        mail = {"subject": str(subject), "text": made["body.txt"].decode()}
        self.mail.write_text(json.dumps(mail | {"html": made["body.html"].decode()}))
        worker = sql.load("shared.deliveries", "worker.sql")
        texts = {name: getattr(worker, name) for name in ("claim", "gate", "record")}
        self.queries.write_text(json.dumps({n: sql.numbered(text)[0] for n, text in texts.items()}))

    def filled(self, mails: int) -> None:
        """Empty the product's queue and fill it."""
        deliveries.clear(self.dsn, self.amqp)
        deliveries.queue(self.dsn, self.amqp, mails)

    def timed(self, mails: int) -> float:
        """Return the rate at which the sink takes the next mails."""
        before = self.sink.taken
        self.sink.wait(before + mails)
        return self.sink.rate(before, mails)


def mailer(field: Field, mails: int, processes: int = 1, **settings: str) -> float:
    """Measure the product: claim, gate, result and events of each mail in Postgres."""
    field.filled(mails)
    before = field.sink.taken
    given = {"ATTACH_PDF": "off", "MAILER_CONCURRENCY": str(field.connections // processes)}
    with ExitStack() as running:
        for _ in range(processes):
            one = servers.mailer(field.dsn, field.amqp, field.sink.port, **(given | settings))
            running.enter_context(one)
        rate = field.timed(before + mails - field.sink.taken)
        deliveries.wait(field.dsn, "state = 'sent'", mails)
    return rate


def celery(field: Field, mails: int) -> float:
    """Measure Celery with smtplib, a process for each connection."""
    environ = {
        "AMQP_URL": field.amqp,
        "PEER_MAIL": str(field.mail),
        "SMTP_PORT": str(field.sink.port),
    }
    fill = [str(VENV / "bin" / "python"), "celery_peer.py", str(mails)]
    subprocess.run(fill, env={**os.environ, **environ}, cwd=PEERS, check=True)
    worker = [str(VENV / "bin" / "celery"), "-A", "celery_peer", "worker"]
    with servers.running(
        [*worker, "-c", str(field.connections), "-l", "WARNING"], environ, None, PEERS
    ):
        return field.timed(mails)


def nodemailer(field: Field, mails: int, *, durable: bool) -> float:
    """Measure Nodemailer with its pool; `durable` with the product's statements in Postgres."""
    field.filled(mails)
    environ = {
        "AMQP_URL": field.amqp, "SMTP_PORT": str(field.sink.port), "PEER_MAIL": str(field.mail),
        "CONNECTIONS": str(field.connections), "PEER_QUERIES": str(field.queries),
    }  # fmt: skip
    if durable:
        environ["DATABASE_URL"] = field.dsn
    with servers.running(["node", "peer.mjs"], environ, None, NODE):
        rate = field.timed(mails)
        if durable:
            deliveries.wait(field.dsn, "state = 'sent'", mails)
    return rate


def from_memory(field: Field, mails: int) -> float:
    """Measure the product's own SMTP writer without Postgres, RabbitMQ and rendering."""
    before = field.sink.taken
    arguments = [str(field.sink.port), str(field.connections), str(mails), str(field.mail)]
    subprocess.run([sys.executable, "-m", "bench.writer", *arguments], cwd=ROOT, check=True)
    field.sink.wait(before + mails)
    return field.sink.rate(before, mails)


def without_node() -> str | None:
    """Install the Node peer's packages. Returns the reason if that is impossible, otherwise None."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return "there is no node or no npm"
    lock, installed = NODE / "package-lock.json", NODE / "node_modules" / ".lock"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=NODE, check=True)
        installed.write_bytes(lock.read_bytes())
    return None
