"""How a business's statements look, over HTTP."""

import hashlib
from typing import Any

import pytest

from services.api.access import daily_counts
from tests.services.api.api_client import Api
from tests.services.api.branding.pictures import png
from tests.services.api.ledgers import new_key

BRANDING = "/api/v3/branding"
LOGO = f"{BRANDING}/logo"
DEFAULT = {
    "accent": None,
    "sender_name": None,
    "reply_to": None,
    "how_to_pay": None,
    "pay_link": None,
    "paper": "a4",
    "statement_kind": "activity",
    "attach_csv": False,
}
SET = {
    "accent": "#0b5c4d",
    "sender_name": "Kente Traders",
    "reply_to": "accounts@kente.example",
    "how_to_pay": "Bank: Example Bank\nAccount: 0123",
    "pay_link": "https://pay.example/k?a={amount}&r={reference}",
    "paper": "letter",
    "statement_kind": "open-items",
    "attach_csv": True,
}
PNG = {"Content-Type": "image/png"}


async def put(api: Api, **fields: Any) -> Any:
    answer = await api.ask("PUT", BRANDING, json=fields)
    assert answer.status == 200, answer.text
    return answer.json


async def test_a_business_begins_with_the_defaults(api: Api) -> None:
    answer = await api.get(BRANDING)
    assert answer.json == {**DEFAULT, "logo": None, "updated_at": None}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_it_is_replaced_as_a_whole(api: Api) -> None:
    made = await put(api, **SET)
    assert {name: made[name] for name in SET} == SET
    assert made["updated_at"].endswith("Z")
    assert (await api.get(BRANDING)).json == made
    again = await put(api, accent="#0B5C4D")
    assert {name: again[name] for name in SET} == {**DEFAULT, "accent": "#0b5c4d"}


async def test_a_form_sets_it_too(api: Api) -> None:
    answer = await api.ask("PUT", BRANDING, data={**SET, "attach_csv": "1", "reply_to": ""})
    assert answer.status == 200, answer.text
    assert {name: answer.json[name] for name in SET} == {**SET, "reply_to": None}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("accent", "0b5c4d", "#rrggbb"),
        ("accent", "#0b5", "#rrggbb"),
        ("accent", "red", "#rrggbb"),
        ("accent", "#0b5c4d\n", "#rrggbb"),
        ("accent", "#ffffff", "1.00:1"),
        ("accent", "#777777", "4.47:1"),
        ("sender_name", "x" * 81, "at most 80"),
        ("reply_to", "nobody", "an e-mail address"),
        ("reply_to", "a@x.example, b@x.example", "an e-mail address"),
        ("reply_to", "jos\u00e9@x.example", "ASCII"),
        ("how_to_pay", "x" * 1001, "at most 1000"),
        ("how_to_pay", "x\n" * 13, "at most 12 lines"),
        ("pay_link", "http://pay.example/", "https://"),
        ("pay_link", "https://{reference}.example/", "host"),
        ("pay_link", "https://user@pay.example/", "user"),
        ("pay_link", "https://pay.example/{secret}", "placeholders"),
        ("paper", "a5", "a4"),
        ("statement_kind", "everything", "open-items"),
        ("attach_csv", 2, "true or false"),
        ("logo", None, "is not a field"),
    ],
)
async def test_a_bad_field_is_named_and_nothing_changes(
    api: Api, field: str, value: Any, said: str
) -> None:
    before = await put(api, **SET)
    answer = await api.ask("PUT", BRANDING, json={**SET, field: value, "paper2": 1})
    assert answer.fields == sorted({field, "paper2"}, key=[field, "paper2"].index)
    assert said in answer.json["errors"][0]["message"]
    assert (await api.get(BRANDING)).json == before


async def test_a_request_without_a_body_clears_nothing(api: Api) -> None:
    before = await put(api, **SET)
    for kind in ("", "application/json"):
        answer = await api.ask("PUT", BRANDING, headers={"Content-Type": kind} if kind else {})
        assert answer.status == 400, kind
    assert (await api.get(BRANDING)).json == before


async def test_a_colour_that_can_just_be_read_is_taken(api: Api) -> None:
    assert (await put(api, accent="#767676"))["accent"] == "#767676"


async def test_marks_of_direction_and_controls_do_not_get_in(api: Api) -> None:
    made = await put(api, sender_name="Kente\u202e\r\nBcc: x", how_to_pay="\n\n one\u2067\x07\n")
    assert (made["sender_name"], made["how_to_pay"]) == ("Kente Bcc: x", " one")


async def test_a_logo_is_stored_shown_and_removed(api: Api) -> None:
    made = await api.ask("PUT", LOGO, data=png(), headers=PNG)
    assert made.status == 200, made.text
    async with api.session.get(
        f"http://127.0.0.1:{api.port}{LOGO}", headers={"Authorization": f"Bearer {api.key}"}
    ) as shown:
        content = await shown.read()
        assert shown.content_type == "image/png"
    assert made.json["logo"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert {name: made.json[name] for name in DEFAULT} == DEFAULT
    assert (await put(api, **SET))["logo"] == made.json["logo"]
    for _ in range(2):
        assert (await api.ask("DELETE", LOGO)).status == 204
    assert (await api.get(LOGO)).status == 404
    assert (await api.get(BRANDING)).json["logo"] is None


async def test_what_is_no_picture_is_refused(api: Api) -> None:
    answer = await api.ask("PUT", LOGO, data=b"<svg/>", headers=PNG)
    assert answer.fields == ["body"]
    assert (await api.ask("PUT", LOGO, data=b"", headers=PNG)).fields == ["body"]
    large = await api.ask("PUT", LOGO, data=b"x" * 1_000_001, headers=PNG)
    assert large.fields == ["body"]
    assert (await api.ask("PUT", LOGO, data=b"x" * 1_048_577, headers=PNG)).status == 413
    typed = await api.ask("PUT", LOGO, data=png(), headers={"Content-Type": "image/svg+xml"})
    assert typed.status == 415
    assert "image/png" in typed.headers["Accept"]


async def test_new_logos_are_counted_but_not_the_same_one_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(daily_counts.MOST, "logos", 2)
    for size in ((10, 10), (10, 10), (20, 10), (10, 10)):
        assert (await api.ask("PUT", LOGO, data=png(size), headers=PNG)).status == 200
    refused = await api.ask("PUT", LOGO, data=png((30, 10)), headers=PNG)
    assert (refused.status, refused.json["type"]) == (429, "/problems/over-quota")
    assert (await api.get(BRANDING)).json["logo"]["width"] != 30


async def test_only_a_key_with_the_scope_changes_it(api: Api, golden: str) -> None:
    key = await new_key(golden, 1, "reports:read", "transactions:send")
    assert (await api.get(BRANDING, key=key)).status == 200
    for method, path in (("PUT", BRANDING), ("PUT", LOGO), ("DELETE", LOGO)):
        assert (await api.ask(method, path, key=key)).status == 403
