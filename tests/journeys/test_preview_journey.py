"""What is previewed is what is sent, and what is sent can be verified on paper."""

import json
import re
from email import message_from_bytes, policy
from typing import Any
from uuid import UUID

import pytest

from services.api.preview import draft
from services.api.statements.store import Snapshot
from tests.journeys.conftest import System
from tests.shared.statements.reading import pdf_text

PERIOD = "2024-11-01/2024-11-30"
STATEMENT = f"/api/v3/reports/customers/client/4/{PERIOD}/statement"
URL = "https://ledgerpost.example"
BODY = {
    "message": "Thank you!\nPay at https://pay.example/?a=1&b=2",
    "statement_kind": "activity-with-open-items",
    "locale": "de",
}
_BRANDING = """
WITH logo AS (INSERT INTO logos (business_id, sha256, png, width, height)
    VALUES (1, sha256($1), $1, 1, 1) RETURNING sha256)
INSERT INTO branding (business_id, logo_sha256, how_to_pay, attach_csv, sender_name)
    SELECT 1, sha256, 'Bank 0123', true, 'Kente GmbH' FROM logo"""
_SENT = """
SELECT content, encode(s.statement_sha256, 'hex') AS sha256,
       encode(s.figures_sha256, 'hex') AS figures, s.id AS send, d.id AS delivery
FROM sends s JOIN deliveries d ON d.send_id = s.id
    JOIN statements f ON f.sha256 = s.statement_sha256"""
# A red square.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c"
    "63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
_HASH = re.compile(r"SHA-256 ((?:[0-9a-f]{4}\s*){16})")


async def sent(system: System) -> Any:
    async with system.relay(), system.mailer(public_url=URL):
        send = await system.send(**BODY)
        assert (await system.settled(send["id"]))["status"] == "sent"
    return await system.db.fetchrow(_SENT)


async def previewed(system: System, form: str) -> tuple[bytes, str]:
    """The preview of the same send, and the hash of its figures."""
    async with system.http.post(f"{STATEMENT}?format={form}", json=BODY) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read(), answer.headers["X-Figures-SHA256"]


def without_ids(data: bytes, *ids: UUID) -> bytes:
    for each in ids:
        data = data.replace(str(each).encode(), b"ID").replace(each.hex.encode(), b"ID")
    return data


def files(data: bytes) -> dict[str, bytes]:
    found = message_from_bytes(data, policy=policy.default).iter_attachments()
    return {str(each.get_filename()): each.get_content() for each in found}


async def test_a_preview_is_the_mail_that_is_sent_but_for_what_a_preview_cannot_have(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.db.execute(_BRANDING, PNG)
    row = await sent(system)
    (mail,) = system.judge.accepted
    _, figures = await previewed(system, "eml")
    assert figures == row["figures"]
    content = row["content"].encode()

    async def frozen(*asked: Any) -> Snapshot:
        return Snapshot(content, row["sha256"], row["figures"], "activity-with-open-items", "de")

    monkeypatch.setattr(draft, "snapshot", frozen)
    eml, _ = await previewed(system, "eml")
    stand_in = UUID(re.findall(rb"(?m)^X-Ledgerpost-Send: (.*?)\r$", eml)[0].decode())
    real = without_ids(mail.data, row["send"], row["delivery"])
    shown = without_ids(eml, stand_in)
    before, _, rest = real.partition(b"Content-Type: application/pdf")
    assert before == shown.partition(b"Content-Type: application/pdf")[0]
    assert b"Content-ID: <logo>" in before
    assert rest.partition(b"Content-Type: text/csv")[2].endswith(
        shown.partition(b"Content-Type: text/csv")[2]
    )
    [(name, pdf), (table, csv)] = files(mail.data).items()
    assert list(files(eml)) == [name, table]
    assert files(eml)[table] == csv
    assert apart(pdf_text(files(eml)[name])) == apart(pdf_text(pdf))
    assert (await previewed(system, "pdf"))[0] == files(eml)[name]
    assert "SHA-256" not in pdf_text(files(eml)[name])


def apart(text: str) -> list[str]:
    """The lines of a PDF without its foot, which has the hash or says that it is a preview."""
    foot = ("SHA-256", "Vorschau", "Preview", "/verify/")
    lines = (" ".join(each.split()) for each in text.splitlines())
    return [each for each in lines if each and not any(word in each for word in foot)]


async def test_a_mailed_pdf_is_verified_by_what_is_printed_on_it(system: System) -> None:
    await system.db.execute(_BRANDING, PNG)
    row = await sent(system)
    (mail,) = system.judge.accepted
    (pdf,) = (each for name, each in files(mail.data).items() if name.endswith(".pdf"))
    printed = _HASH.search(pdf_text(pdf))
    assert printed is not None
    assert f"{URL}/verify/{row['sha256']}" in "".join(pdf_text(pdf).split())
    closing = json.loads(row["content"], parse_float=str)["closing_balance"]
    params = {"closing": str(closing)}
    async with system.http.get(f"/verify/{printed[1].strip()}", params=params) as answer:
        assert answer.status == 200, await answer.text()
        said = await answer.json()
    assert said["sha256"] == row["sha256"]
    assert said["business"] == "Kente & Co"
    assert said["how_to_pay"] == "Bank 0123"
    async with system.http.get(f"/verify/{printed[1]}", params={"closing": "1"}) as answer:
        assert answer.status == 404
