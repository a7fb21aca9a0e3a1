"""The rate at which the listener takes returned mail, beside programs that do less of it."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import asyncpg

from bench import ledger, postfix, results, servers
from bench.processes import spent
from bench.servers import ROOT, free_port
from provision import servers as provision
from shared.mail.return_path import ReturnPaths

_SECRET = "a secret of the bench, of no use elsewhere"
_PATHS = ReturnPaths(_SECRET, "bounces.example")
_CONNECTIONS = 10
_FORGED = 1_000_000
_BOUNCE = """\
From: Mail Delivery System <MAILER-DAEMON@mx.client.example>
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type="delivery-status"; boundary="edge"

--edge
Content-Type: text/plain; charset=utf-8

It could not be delivered.
--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.client.example

Final-Recipient: rfc822; ana@client.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown
--edge
Content-Type: message/rfc822

From: Shop <post@ledgerpost.example>
Subject: Statement

{original}
--edge--
"""
# One send for each, as in a batch.
_HANDED_OVER = """
WITH kept AS (
    INSERT INTO statements (business_id, sha256, content) VALUES (1, sha256('bench'), '{}')
    ON CONFLICT (business_id, sha256) DO UPDATE SET content = excluded.content RETURNING sha256
), sent AS (
    INSERT INTO sends SELECT gen_random_uuid(), 1, 4, '2024-11-01', '2024-11-30', NULL, false, '[]',
        now(), now() + interval '3 days', now(), kept.sha256
    FROM kept, generate_series(1, $1::integer) RETURNING id
)
INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, due_at, expires_at,
                        created_at, updated_at, state, sent_at)
SELECT gen_random_uuid(), id, 1, 1, id || '@client.example', id || '@client.example', now(),
       now() + interval '3 days', now(), now(), 'sent', now()
FROM sent RETURNING id
"""
_ADD = """
INSERT INTO returns (id, business_id, delivery_id, received_at, source, sha256, size, kind)
VALUES ($1, 1, $2, now(), 'smtp', sha256($3), 3000, 'bounce')
"""
_KEEP = "INSERT INTO returned_mails (return_id, raw, received_at) VALUES ($1, $2, now())"
_BOUNCED = """
UPDATE deliveries SET state = 'bounced', reason = 'returned', reason_code = 'bounced_recipient'
WHERE id = $1
"""


def main(arguments: list[str]) -> None:
    """Run some rounds of all, and write the results; `small` runs one with few mails."""
    is_small = "small" in arguments
    mails, rounds = (500, 1) if is_small else (3_000, 3)
    url = provision.start(ROOT, "bench", os.environ).database_url
    lines = [results.machine(url, "aiosmtpd", "asyncpg"), ""]
    dsn = asyncio.run(ledger.create(url))
    try:
        bench = Returns(dsn, mails)
        names = ("product", "copies", "discard", "inserts")
        rates: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                rates[name].append(getattr(bench, name)())
                print(f"{name} {rates[name][-1]:.0f} a second", file=sys.stderr)
        lines += _told(rates, bench, mails)
    finally:
        asyncio.run(ledger.drop(url, dsn))
    if is_small:
        print("\n".join(lines))
    else:
        results.write("returns", "Returned mail", lines)


class Returns:
    """The programs that take the same mails; each method returns mails a second."""

    def __init__(self, dsn: str, mails: int) -> None:
        """Measure with so many mails in each round."""
        self._dsn, self._mails = dsn, mails
        self._mail = _BOUNCE.format(original="x" * 70 + "\n" * 30).replace("\n", "\r\n").encode()
        self.seconds_a_mail: list[float] = []

    def product(self) -> float:
        """Let the listener take a bounce of each delivery: stored, bounced, suppressed."""
        with self._listening() as (port, pid):
            before, rate = spent(pid), self._send(port, asyncio.run(self._handed_over()))
            self.seconds_a_mail.append((spent(pid) - before) / self._mails)
        return rate

    def copies(self) -> float:
        """Let smtp-source send copies of one mail, of which the first is stored."""
        found = postfix.program()
        [delivery, *_] = asyncio.run(self._handed_over(1))
        with self._listening() as (port, _):
            begun = time.perf_counter()
            command = [
                found.bin / "smtp-source", "-d", "-s", str(_CONNECTIONS), "-m", str(self._mails),
                "-l", str(len(self._mail)), "-f", "", "-t", _PATHS.address(delivery),
                f"127.0.0.1:{port}",
            ]  # fmt: skip
            subprocess.run(command, env=found.environ(), check=True)
            return self._mails / (time.perf_counter() - begun)

    def discard(self) -> float:
        """Let a bare aiosmtpd discard the mails."""
        port = free_port()
        with servers.running([sys.executable, "-m", "bench.returned_discard", str(port)], {}, port):
            return self._send(port, [uuid4() for _ in range(self._mails)])

    def inserts(self) -> float:
        """Store the same rows without SMTP and without reading a mail."""
        return asyncio.run(self._insert())

    @contextmanager
    def _listening(self) -> Iterator[tuple[int, int]]:
        port = free_port()
        environ = {
            "DATABASE_URL": self._dsn, "RETURN_SECRET": _SECRET, "BOUNCE_DOMAIN": _PATHS.domain,
            "RETURNS_LISTEN": f"smtp://127.0.0.1:{port}", "RETURNS_OPS_PORT": "0",
        }  # fmt: skip
        command = [sys.executable, "-m", "services.mailer", "returns"]
        with servers.running(command, environ, port) as pid:
            yield port, pid

    def _send(self, port: int, deliveries: list[UUID]) -> float:
        with tempfile.TemporaryDirectory() as folder:
            paths, mail = Path(folder, "paths"), Path(folder, "mail")
            paths.write_text(json.dumps([_PATHS.address(each) for each in deliveries]))
            mail.write_bytes(self._mail)
            command = [sys.executable, "-m", "bench.returned_source", str(port), str(_CONNECTIONS)]
            begun = time.perf_counter()
            subprocess.run([*command, paths, mail], check=True, cwd=ROOT)
            return len(deliveries) / (time.perf_counter() - begun)

    async def _handed_over(self, mails: int | None = None) -> list[UUID]:
        conn = await asyncpg.connect(self._dsn)
        rows = await conn.fetch(_HANDED_OVER, mails or self._mails)
        await conn.execute("ANALYZE")
        await conn.close()
        return [row["id"] for row in rows]

    async def _insert(self) -> float:
        deliveries = await self._handed_over()

        async def store(mine: list[UUID]) -> None:
            conn = await asyncpg.connect(self._dsn)
            for each in mine:
                returned = uuid4()
                async with conn.transaction():
                    await conn.execute(_ADD, returned, each, returned.bytes)
                    await conn.execute(_KEEP, returned, self._mail)
                    await conn.execute(_BOUNCED, each)
            await conn.close()

        begun = time.perf_counter()
        shares = (deliveries[place::_CONNECTIONS] for place in range(_CONNECTIONS))
        await asyncio.gather(*(store(share) for share in shares))
        return len(deliveries) / (time.perf_counter() - begun)


def _told(rates: dict[str, list[float]], bench: Returns, mails: int) -> list[str]:
    median = {name: statistics.median(each) for name, each in rates.items()}
    said = {
        "product": "`ledgerpost-mailer returns`: a bounce of each delivery, committed",
        "copies": "the same, copies of one mail from smtp-source",
        "discard": "limit: a bare aiosmtpd that discards",
        "inserts": "limit: bare INSERTs and UPDATE of the same rows, committed",
    }
    seconds = statistics.median(bench.seconds_a_mail)
    accepted, forged = _forged()
    return [
        f"{mails:,} mails a round over {_CONNECTIONS} connections; medians of rounds in turn.",
        "",
        "| | mails/s | the product is × |",
        "|---|---|---|",
        *(f"| {text} | {median[n]:,.0f} | {median['product'] / median[n]:.2f} |" for n, text in said.items()),
        "",
        f"- Processor time of the listener for a mail: {1000 * seconds:.2f} ms.",
        f"- Of {_FORGED:,} forged return paths {accepted} were accepted; {forged:,.0f} a second, no database.",
    ]  # fmt: skip


def _forged() -> tuple[int, float]:
    """Return how many forged addresses are accepted, and how many are checked in a second."""
    rng, letters = Random(1), "abcdefghijklmnopqrstuvwxyz234567"
    named = [_PATHS.address(uuid4()).partition(".")[0] for _ in range(1_000)]
    accepted, begun = 0, time.perf_counter()
    for number in range(_FORGED):
        address = f"{named[number % 1_000]}.{''.join(rng.choices(letters, k=16))}@{_PATHS.domain}"
        accepted += _PATHS.delivery(address) is not None
    return accepted, _FORGED / (time.perf_counter() - begun)
