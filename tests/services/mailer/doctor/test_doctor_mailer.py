"""A whole run of the mailer's `doctor`, and what a black hole does to it."""

import socket
from contextlib import ExitStack

from shared.amqp import broker as broker_module
from shared.amqp import topology
from tests.doctor_report import doctor
from tests.judge.dns import Dns
from tests.judge.server import Judge
from tests.roles import acting


async def test_a_mailer_with_its_own_rights_is_ok(database: str, broker: str, judge: Judge) -> None:
    async with await broker_module.connect(broker, "test") as connection:
        await topology.declare(await connection.channel())
    records = {
        "ledgerpost.example.": ['"v=spf1 -all"'],
        "ledgerpost.example. MX": ["1 mail.example."],
        "_dmarc.ledgerpost.example.": ['"v=DMARC1; p=none"'],
    }
    async with Dns(records) as server:
        found = await doctor(
            "--resolver", f"127.0.0.1:{server.port}",
            program="services.mailer",
            DATABASE_URL=acting(database, "mailer"),
            AMQP_URL=broker,
            SMTP_URL=f"smtp://127.0.0.1:{judge.port}",
            MAIL_FROM="post@ledgerpost.example",
            RETURN_SECRET="r" * 32,
        )  # fmt: skip
    assert (found.status, found.report["status"], found.err) == (0, "ok", "")
    assert found.not_ok == {"dns.dkim": {"skipped"}}
    assert {"postgres.rights", "rabbitmq.rights", "smtp.session", "machine.rendering"} <= (
        found.statuses.keys()
    )


async def test_black_holes_are_failures_and_it_ends(judge: Judge) -> None:
    with ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        where = deaf.getsockname()
        for _ in range(2):  # Linux keeps one more than the backlog says
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(where)
        nowhere = f"127.0.0.1:{where[1]}"
        found = await doctor(
            *(f"--only={part}" for part in ("postgres", "rabbitmq", "smtp", "dns")),
            "--resolver", nowhere,
            program="services.mailer",
            DATABASE_URL=f"postgresql://api:secret-7@{nowhere}/x",
            AMQP_URL=f"amqp://api:secret-7@{nowhere}/x",
            SMTP_URL=f"smtp://api:secret-7@{nowhere}",
            MAIL_FROM="post@ledgerpost.example",
        )  # fmt: skip
    failed = {name for name, statuses in found.statuses.items() if statuses == {"failure"}}
    assert failed == {"postgres.reachable", "rabbitmq.reachable", "smtp.session"}
    assert "secret-7" not in str(found.report)
