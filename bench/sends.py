"""Sends: mails per second compared with peers and limits, POSTs, latency, claims, history."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from statistics import median

from bench import (
    accepting,
    claims,
    deliveries,
    history,
    latency,
    ledger,
    postfix,
    profiling,
    publishing,
    results,
    servers,
    throughput,
)
from bench.servers import ROOT
from bench.throughput import Field
from provision import servers as provision
from provision.program import Unavailable

PARTS = ("throughput", "pdf", "accepting", "publishing", "latency", "claims", "history", "profile")
CONNECTIONS = 10


def main(arguments: list[str]) -> None:
    """Run all parts and write the results, or run the named ones; `N` divides the size by N."""
    parts = [each for each in arguments if not each.isdigit()] or list(PARTS)
    scale = next((int(each) for each in arguments if each.isdigit()), 1)
    servers.install()
    found = provision.start(ROOT, "bench", os.environ)
    dsn = asyncio.run(ledger.create(found.database_url))
    try:
        key = asyncio.run(
            ledger.fill(dsn, customers=deliveries.CUSTOMERS, invoices=deliveries.INVOICES)
        )
        with postfix.sink() as sink:
            field = Field(dsn, found.amqp_url, sink, CONNECTIONS)
            field.prepare()
            bench = Sends(field, key, found.database_url, scale)
            lines = [results.machine(dsn, "aio-pika", "aiosmtplib", "asyncpg", "typst")]
            for part in parts:
                print(f"{part} ...", file=sys.stderr)
                part_lines = getattr(bench, part)()
                print("\n".join(part_lines), file=sys.stderr)
                lines += ["", *part_lines]
    except Unavailable as reason:
        print(f"sends: skipped: {reason}")
        return
    finally:
        asyncio.run(ledger.drop(found.database_url, dsn))
    if scale == 1 and parts == list(PARTS):
        results.write("sends", "Sends", lines)
    else:
        print("\n".join(lines))


class Sends:
    """The parts of the benchmark; each returns lines of the report."""

    def __init__(self, field: Field, key: str, server: str, scale: int) -> None:
        self._field, self._key, self._server, self._scale = field, key, server, scale

    def throughput(self) -> list[str]:
        """Measure mails without PDF from a full queue, each program in turn."""
        field = self._field
        works: dict[str, tuple[Callable[[int], float], int]] = {
            "the product": (lambda n: throughput.mailer(field, n), 4_000),
            "the product, two mailers": (lambda n: throughput.mailer(field, n, processes=2), 4_000),
            "Celery + smtplib": (lambda n: throughput.celery(field, n), 1_500),
        }
        if (reason := throughput.without_node()) is None:
            works["Nodemailer, durable"] = (
                lambda n: throughput.nodemailer(field, n, durable=True),
                2_000,
            )
            works["Nodemailer, stateless"] = (
                lambda n: throughput.nodemailer(field, n, durable=False),
                3_000,
            )
        else:
            print(f"Nodemailer: skipped: {reason}")
        works["limit: our SMTP writer from memory"] = (
            lambda n: throughput.from_memory(field, n),
            5_000,
        )
        works["limit: smtp-source"] = (
            lambda n: postfix.source(
                field.sink, sessions=field.connections, mails=n, octets=field.octets
            ),
            5_000,
        )
        rates: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(3 if self._scale == 1 else 1):
            for name, (work, mails) in works.items():
                rates[name].append(work(mails // self._scale))
        medians = {name: median(found) for name, found in rates.items()}
        ours = medians["the product"]
        return [
            (
                f"Mails of {field.octets:,} octets without PDF from a full queue to smtp-sink,"
                f" {field.connections} connections; medians of rounds taken in turn."
            ),
            "",
            "| | mails/s | the product is × |",
            "|---|---|---|",
            *(f"| {name} | {rate:,.0f} | {ours / rate:.2f} |" for name, rate in medians.items()),
        ]

    def pdf(self) -> list[str]:
        """Measure mails with PDF, each of a different statement, compared with typst alone."""
        mails = 1_000 // self._scale
        ours = throughput.mailer(self._field, mails, ATTACH_PDF="on")
        command = [sys.executable, "-m", "bench.typesetting", self._field.dsn]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        bare = float(done.stdout)
        return [
            (
                f"- With PDF, one statement for each mail: {ours:.0f} mails/s, {ours / bare:.2f} of"
                f" typst alone on the same cores ({bare:.0f} pages/s)."
            )
        ]

    def accepting(self) -> list[str]:
        """Measure accepted POSTs."""
        deliveries.clear(self._field.dsn, self._field.amqp)
        ours, bare = accepting.run(self._field.dsn, self._key, rounds=5, lasting=3 / self._scale)
        return [
            (
                f"- POST: {ours:.0f} accepted/s on {accepting.CONNECTIONS} connections,"
                f" {ours / bare:.2f} of a bare aiohttp handler that commits the same rows ({bare:.0f})."
            )
        ]

    def publishing(self) -> list[str]:
        """Measure the relay, with and without frozen statements."""
        field = self._field
        frozen = publishing.run(field.dsn, field.amqp, 30_000 // self._scale, frozen=True)
        fresh = publishing.run(field.dsn, field.amqp, 5_000 // self._scale, frozen=False)
        return [
            (
                f"- Relay: {frozen.wakeups:,.0f} wake-ups/s confirmed, and in the same time"
                f" {frozen.events:,.0f} events/s; with a statement to freeze for each"
                f" {fresh.wakeups:,.0f} and {fresh.events:,.0f}."
            )
        ]

    def latency(self) -> list[str]:
        """Measure from POST to 250."""
        sends, field = 5_000 // self._scale, self._field
        took = latency.run(field.dsn, self._key, field.amqp, field.sink, sends=sends, each=0.1)
        return [
            (
                f"- POST until the smarthost's 250 is recorded, without PDF, {sends:,} sends at ten a"
                f" second: {latency.shown(took)}."
            )
        ]

    def claims(self) -> list[str]:
        """Measure the effect of a million scheduled rows."""
        few, many = 1_000, 1_000_000 // self._scale
        found = claims.run(self._server, few, many, rounds=9)
        return [
            f"| step, ms | {few:,} scheduled rows | {many:,} | × |",
            "|---|---|---|---|",
            *(f"| {step} | {a:.2f} | {b:.2f} | {b / a:.2f} |" for step, (a, b) in found.items()),
        ]

    def history(self) -> list[str]:
        """Measure pages of the history in a long one and in a short one."""
        few, many = 10_000, 500_000 // self._scale
        found = history.run(self._server, few, many, rounds=9)
        return [
            f"| a page of the history by, ms | {few:,} sends | {many:,} | × |",
            "|---|---|---|---|",
            *(f"| {name} | {a:.1f} | {b:.1f} | {b / a:.2f} |" for name, (a, b) in found.items()),
        ]

    def profile(self) -> list[str]:
        """Profile the mailer."""
        return [
            "The mailer at full load:",
            "",
            *profiling.run(self._field, 6_000 // self._scale),
        ]
