"""Previews are made by processes of their own, which are bounded and end with their readers."""

import pytest
from aiohttp import ClientTimeout

from services.api.http.appkeys import FILES, PREVIEW_TURNS
from services.api.http.streams import stream
from services.api.preview import handlers
from services.api.statements import store
from shared.process.settings import ApiSettings, SettingsError
from tests.roles import acting
from tests.services.api.api_client import NOVEMBER, REPORTS, Api, serving
from tests.services.api.ledgers import new_key
from tests.services.api.preview.asking import FIGURES, MEDIA, PATH, ask, mail, post

LIST = f"{REPORTS}/{NOVEMBER}"
_ENDLESS = """
import sys, time
from shared.rendering.answers import Ready, answer_frame
sys.stdout.buffer.write(answer_frame(Ready(())))
sys.stdout.flush()
time.sleep(600)
"""


async def test_a_statement_that_is_too_long_is_refused(
    reader: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LINES_MAX", 2)
    for form in MEDIA:
        shown = await ask(reader, f"{PATH}?format={form}")
        assert shown.status == 422
        assert "more than 2 lines" in shown.text


async def test_where_mails_have_no_pdf_neither_has_a_preview(readable: str) -> None:
    settings = ApiSettings(
        database_url=acting(readable, "api"), attach_pdf="off", mail_from="K <k@kente.example>"
    )
    async with serving(settings) as api:
        api.key = await new_key(readable)
        for method in ("GET", "HEAD"):
            assert (await ask(api, f"{PATH}?format=pdf", method)).status == 406
        accept = {"Accept": "application/pdf, text/plain;q=0.5"}
        assert "text/plain" in (await ask(api, headers=accept)).headers["Content-Type"]
        eml = mail(await post(api, "eml"))
        assert list(eml.iter_attachments()) == []
        assert str(eml["From"]).endswith("<k@kente.example>")
        assert "PDF" not in (await ask(api, f"{PATH}?format=html")).text


async def test_head_makes_nothing(reader: Api) -> None:
    for form, media in MEDIA.items():
        shown = await ask(reader, f"{PATH}?format={form}", "HEAD")
        assert shown.status == 200
        assert shown.headers["Content-Type"].partition(";")[0] == media
        assert len(shown.headers[FIGURES]) == 64
        assert shown.headers.get("Content-Length") != "0"


async def test_no_process_is_started_before_the_first_preview(api: Api) -> None:
    made = api.app[handlers.PREVIEWS]._processes
    await ask(api)
    assert made._idle == []
    await ask(api, f"{PATH}?format=text")
    (kept,) = made._idle
    await ask(api, f"{PATH}?format=pdf")
    assert made._idle == [kept]


async def test_a_process_that_dies_is_a_problem(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = api.app[handlers.PREVIEWS]._processes
    for program in ("import os; os.abort()", "import sys; sys.exit(3)"):
        monkeypatch.setattr(made, "_program", ("-c", program))
        for form in ("html", "pdf", "eml"):
            shown = await ask(api, f"{PATH}?format={form}")
            assert shown.status == 500
            assert shown.headers["Content-Type"] == "application/problem+json"
            assert "cannot be made" in shown.text


async def test_a_process_ends_with_its_reader(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = api.app[handlers.PREVIEWS]._processes
    monkeypatch.setattr(made, "_program", ("-c", _ENDLESS))
    with pytest.raises(TimeoutError):
        await ask(api, f"{PATH}?format=pdf", timeout=ClientTimeout(2))
    monkeypatch.undo()
    # A business makes one preview at a time: this one waits until the other is given up.
    assert (await ask(api, f"{PATH}?format=pdf")).status == 200


async def test_exports_and_previews_do_not_wait_for_each_other(api: Api) -> None:
    for held, path in ((FILES, f"{PATH}?format=pdf"), (PREVIEW_TURNS, f"{LIST}?format=xlsx")):
        turns = api.app[held]
        async with turns.turn(1), turns.turn(2):
            assert (await ask(api, path)).status == 200


async def test_a_business_makes_one_preview_at_a_time(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_TURN_WAIT_S", 0.1)
    async with api.app[PREVIEW_TURNS].turn(1):
        busy = await ask(api, f"{PATH}?format=text")
        assert busy.status == 503
        assert busy.headers["Retry-After"] == "5"


async def test_a_format_that_it_lacks_is_not_acceptable(reader: Api) -> None:
    for form in ("csv", "xlsx", "ndjson"):
        assert (await ask(reader, f"{PATH}?format={form}")).status == 406
    assert (await ask(reader, headers={"Accept": "image/png"})).status == 406


def test_a_wrong_sender_is_a_wrong_setting() -> None:
    given = {"DATABASE_URL": "postgresql://h/d", "MAIL_FROM": "nobody"}
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        ApiSettings.from_environ(given)
