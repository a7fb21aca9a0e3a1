"""A statement as a send would carry it now, in each form, and nothing is stored of it."""

import asyncio
import hashlib
import json
import re
from email import message_from_bytes, policy
from typing import Any

import asyncpg
import pytest

from services.api.statements.store import freeze
from shared.deliveries.relay import Unfrozen
from shared.rendering import worker
from shared.statements.render import Renderer
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.ledgers import new_key
from tests.services.api.preview.asking import FIGURES, MEDIA, PATH, WORD, ask, mail, post
from tests.services.api.sends import stored
from tests.services.api.sign_in.browser import Browser

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c"
    "63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def undated(content: bytes) -> bytes:
    return re.sub(rb'^\{"generated_at" : "[^"]*", ', b"{", content)


async def test_each_format_is_chosen_by_its_word_or_by_accept(reader: Api) -> None:
    for form, media in MEDIA.items():
        for path, headers in (
            (f"{PATH}?format={form}", {}),
            (PATH, {"Accept": media}),
            (f"{WORD}?format={form}", {}),
        ):
            shown = await ask(reader, path, headers=headers)
            assert shown.status == 200, shown.text
            assert shown.headers["Content-Type"].partition(";")[0] == media
            assert shown.headers["Cache-Control"] == "no-store"
            assert len(shown.headers[FIGURES]) == 64
        named = shown.headers["Content-Disposition"]
        suffix = "txt" if form == "text" else form
        assert named.endswith(f"-2024-11-01-2024-11-30.{suffix}"), named
        assert named.startswith("inline" if form in {"html", "text", "pdf"} else "attachment")
        assert shown.headers["Content-Location"].startswith(PATH)


async def test_json_is_the_snapshot_byte_by_byte(api: Api, golden: str) -> None:
    shown = await ask(api)
    conn = await asyncpg.connect(golden)
    send = await stored.send(conn)
    await freeze(conn, Unfrozen(send, 1, 4, stored.PERIOD))
    [content, figures] = await conn.fetchrow(
        """SELECT content, encode(figures_sha256, 'hex') FROM sends
           JOIN statements ON sha256 = statement_sha256 WHERE id = $1""",
        send,
    )
    await conn.close()
    assert undated(shown.body) == undated(content.encode())
    assert shown.body.startswith(b'{"generated_at" : "')
    assert hashlib.sha256(undated(shown.body)).hexdigest() == shown.headers[FIGURES] == figures


async def test_nothing_is_stored(api: Api, golden: str) -> None:
    conn = await asyncpg.connect(golden)
    count = "SELECT (SELECT count(*) FROM sends) + (SELECT count(*) FROM statements)"
    for form in MEDIA:
        assert (await post(api, form, message="Hello", other_emails=["a@x.example"])).status == 200
        assert await conn.fetchval(count) == 0
        assert await conn.fetchval("SELECT count(*) FROM due_recipients") == 0
    await conn.close()


@pytest.mark.parametrize("kind", ["activity", "open-items", "activity-with-open-items"])
async def test_kind_and_language_are_chosen(reader: Api, kind: str) -> None:
    query = f"?statement_kind={kind}&locale=fr"
    asked = await ask(reader, PATH + query)
    posted = await post(reader, "json", statement_kind=kind, locale="fr")
    for shown in (asked, posted):
        content = json.loads(shown.body)
        assert (content["kind"], content["locale"]) == (kind, "fr")
        assert (content["open_items"] is None) is (kind == "activity")
    page = await ask(reader, f"{PATH}{query}&format=html")
    assert 'lang="fr"' in page.text
    assert "novembre" in page.text


async def test_the_parts_are_those_of_the_mail(reader: Api) -> None:
    """Made of the same snapshot by the code of the mailer, in this process."""
    content = (await ask(reader)).body
    message = "Hello,\n<b>&amp; https://pay.example/i?a=1&b=2"
    eml = message_from_bytes(
        (await post(reader, "eml", message=message)).body, policy=policy.default
    )
    made = eml["Date"].datetime.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    rendered = Renderer(reply_to=worker.reply_to_address).render(
        re.sub(rb'(?<=^\{"generated_at" : ")[^"]*', made, content), message
    )
    assert eml["Subject"] == rendered.subject
    assert eml["To"] == "esi@customers.example.com"
    parts = {each.get_content_type(): each for each in eml.walk()}
    assert parts["text/plain"].get_content().replace("\r\n", "\n") == rendered.text
    assert parts["text/html"].get_content().replace("\r\n", "\n") == rendered.html
    assert parts["application/pdf"].get_filename() == rendered.pdf_name
    for form, said in (("text", rendered.text), ("html", rendered.html)):
        assert undated_text((await post(reader, form, message=message)).text) == undated_text(said)


def undated_text(text: str) -> str:
    return re.sub(r"\d\d:\d\d \(\w+\)", "", text)


async def test_the_page_has_the_logo_and_may_do_nothing(api: Api, golden: str) -> None:
    conn = await asyncpg.connect(golden)
    await conn.execute(
        """WITH logo AS (INSERT INTO logos (business_id, sha256, png, width, height)
               VALUES (1, sha256($1), $1, 1, 1) RETURNING sha256)
           INSERT INTO branding (business_id, logo_sha256) SELECT 1, sha256 FROM logo""",
        PNG,
    )
    await conn.close()
    page = await ask(api, f"{PATH}?format=html")
    assert 'src="data:image/png;base64,iVBOR' in page.text
    assert "cid:logo" not in page.text
    policy_ = page.headers["Content-Security-Policy"]
    assert policy_.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert "frame-ancestors 'none'" in policy_
    assert policy_.endswith("; sandbox")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert b"Content-ID: <logo>" in (await ask(api, f"{PATH}?format=eml")).body


async def test_a_person_who_is_signed_in_sees_the_page(api: Api) -> None:
    browser = Browser(api)
    assert (await browser.get(PATH)).headers["Location"].startswith("/sign-in?next=")
    assert api.key is not None
    await browser.sign_in(api.key)
    shown = await browser.get(PATH)
    assert shown.status == 200
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
    assert (await browser.get(f"{PATH}?format=json")).status == 200
    assert (await browser.ask("POST", PATH, json={})).status == 401


async def test_a_mail_without_recipient_or_sender_is_addressed_to_nobody(
    api: Api, golden: str
) -> None:
    conn = await asyncpg.connect(golden)
    await conn.execute("UPDATE customers SET business_email = NULL")
    await conn.close()
    eml = mail(await post(api, "eml"))
    assert eml["To"] == "nobody@preview.invalid"
    assert eml["From"] == "Kente & Co <statements@preview.invalid>"
    assert not {"Return-Path", "List-Unsubscribe"} & set(eml.keys())
    eml = mail(await post(api, "eml", copy_to_me=True))
    assert eml["To"] == "owner@kente.example.com"
    assert eml["Subject"].startswith("Copy: ")


async def test_a_foreign_customer_is_not_found(reader: Api, other_key: str) -> None:
    for form in MEDIA:
        for method in ("GET", "HEAD"):
            path = f"{PATH}?format={form}".replace("client/4", "client/4000")
            assert (await ask(reader, path, method)).status == 404
    theirs = await ask(reader, key=other_key)
    assert theirs.status == 404 or b"Kente" not in theirs.body


async def test_a_key_that_only_sends_sees_no_figures(api: Api, golden: str) -> None:
    key = await new_key(golden, 1, "transactions:send")
    for method in ("GET", "POST"):
        assert (await ask(api, PATH, method, key=key)).status == 403


@pytest.mark.parametrize(
    ("query", "body", "field"),
    [
        ("statement_kind=all", None, "statement_kind"),
        ("locale=%00", None, "locale"),
        ("locale=xx-yy-zz-aa-bb-cc-dd", None, "locale"),
        ("locale=fr&locale=de", None, "locale"),
        ("format=xls", None, "format"),
        ("message=x", None, "message"),
        ("statement_kind=activity", {}, "statement_kind"),
        ("", {"statement_kind": "x"}, "statement_kind"),
        ("", {"locale": "not a tag"}, "locale"),
        ("", {"message": "x" * 10_001}, "message"),
        ("", {"other_emails": ["nobody"]}, "other_emails"),
        ("", {"send_at": "2030-01-01", "bcc": "x"}, "bcc"),
    ],
)
async def test_each_fault_names_its_field(
    reader: Api, query: str, body: dict[str, Any] | None, field: str
) -> None:
    method = "GET" if body is None else "POST"
    shown = await ask(reader, f"{PATH}?{query}", method, json=body)
    assert shown.status == 422
    assert [each["field"].partition(".")[0] for each in json.loads(shown.body)["errors"]] == [field]


async def test_hostile_names_are_only_text(api: Api, golden: str) -> None:
    conn = await asyncpg.connect(golden)
    hostile = '"><script>alert(1)</script>\r\nX-Evil: 1 src="cid:logo" ../\u202e'
    await conn.execute("UPDATE businesses SET name = $1", hostile)
    await conn.execute("UPDATE customers SET business_name = $1", hostile)
    await conn.close()
    for form in MEDIA:
        shown = await post(api, form, message=hostile)
        assert shown.status == 200, shown.text
        assert "X-Evil" not in shown.headers
        assert "\u202e" not in str(shown.headers)
        assert re.fullmatch(
            r"(inline|attachment); filename\*=UTF-8''statement-[a-z0-9-]+\.[a-z]+",
            shown.headers["Content-Disposition"],
        )
        if form == "html":
            assert "<script>alert" not in shown.text


async def test_two_businesses_at_once_never_get_each_others_pages(api: Api, golden: str) -> None:
    conn = await asyncpg.connect(golden)
    for business, word in ((1, "qzalpha"), (2, "qzbravo")):
        await conn.execute("UPDATE businesses SET name = $2 WHERE id = $1", business, word)
    theirs = await conn.fetchval("SELECT min(id) FROM customers WHERE business_id = 2")
    await conn.close()
    keys = {"qzalpha": (api.key, 4), "qzbravo": (await new_key(golden, 2), theirs)}

    async def one(word: str, form: str) -> None:
        key, customer = keys[word]
        path = f"{REPORTS}/client/{customer}/{NOVEMBER}/statement?format={form}"
        shown = await ask(api, path, key=key)
        assert shown.status == 200, shown.text
        other = "qzbravo" if word == "qzalpha" else "qzalpha"
        assert word in shown.text
        assert other not in shown.text

    # The first one waits until a rendering process is there; on a busy machine others would not.
    await one("qzalpha", "html")
    for _ in range(3):
        await asyncio.gather(*(one(word, form) for word in keys for form in ("html", "text")))
