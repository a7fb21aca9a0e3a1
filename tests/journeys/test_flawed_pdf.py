"""A text that typst panics at, from the ledger to the reason that the API shows."""

import aiohttp
import pytest

from provision.ports import free_ports
from shared.statements.render import Renderer
from tests.journeys.conftest import System
from tests.shared.statements.snapshots import frozen, row, snapshot
from tests.shared.statements.test_flaws import PANIC


async def test_whoever_words_a_reference_cannot_silence_a_customer(system: System) -> None:
    rows = [row("2024-11-02", "payment", "1", "1", reference=PANIC)]
    flaws = Renderer().render(frozen(snapshot(rows))).flaws
    if "replaced_text" not in [flaw.kind for flaw in flaws]:
        pytest.skip("typst sets this text with the fonts that are here")
    await system.db.execute("UPDATE payments SET reference = $1", PANIC)
    [port] = free_ports(1)
    async with system.relay(), system.mailer(mailer_ops_port=port):
        sent = await system.settled((await system.send())["id"])
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{port}/metrics") as response,
        ):
            counted = await response.text()
    (recipient,) = sent["recipients"]
    assert recipient["state"] == "sent"
    assert recipient["reason"].startswith("a text is replaced in the PDF: typst gave up")
    assert recipient["reason_code"] == "pdf_text_replaced"
    assert 'ledgerpost_pdf_flaws_total{kind="replaced_text"} 1.0' in counted
    (mail,) = system.judge.accepted
    assert [part.get_content_type() for part in mail.message.iter_attachments()] == [
        "application/pdf"
    ]
