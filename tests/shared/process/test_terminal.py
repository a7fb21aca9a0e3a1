"""Foreign texts cannot control an operator's terminal."""

import sys
from pathlib import Path

import asyncpg
import pytest

from services.api.access import store as access
from shared.process import terminal
from tests.services.api.command import run

HOSTILE = "\x1b[2K\x1b[1A\x1b]0;pwned\x07\x1b]52;c;aGk=\x07\x9b31m\u202e\u2066\r\u2028"


def is_harmless(shown: str) -> bool:
    return all(line.isprintable() for line in shown.split("\n"))


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("at_terminal", [False, True])
def test_a_dead_letter_is_shown(
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    *,
    raw: bool,
    at_terminal: bool,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: at_terminal)
    body = f'{{"a": "{HOSTILE}"}}'.encode() + b"\xff\n"
    terminal.show(body, raw=raw)
    shown = capsysbinary.readouterr().out
    if at_terminal and not raw:
        assert is_harmless(shown.decode())
        assert "\\x1b]52;c;" in shown.decode()
        assert "\\xff" in shown.decode()
    else:
        assert shown == body + b"\n"


def test_a_line_is_shown_with_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say(f"name {HOSTILE} é漢", err=True)
    shown = capsys.readouterr().err
    assert is_harmless(shown)
    assert shown.count("\n") == 1
    assert "é漢" in shown


async def test_names_of_files_in_an_import(database: str, tmp_path: Path) -> None:
    (tmp_path / f"{HOSTILE.replace('/', '')}.csv").write_bytes(b"x\n")
    (tmp_path / "customers.csv").write_text(f"id,{HOSTILE}\n", "utf-8")
    for words in ((), ("--ignore-unknown",)):
        ended = await run("import", str(tmp_path), *words, DATABASE_URL=database)
        assert ended.status == 1
        assert is_harmless(ended.err + ended.out)


async def test_what_is_stored(database: str) -> None:
    db = await asyncpg.connect(database)
    try:
        await db.execute(
            "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
            " VALUES (1, 1, 'B', 'GHS', 'UTC')"
        )
        await access.create(db, business_id=1, name=HOSTILE, scopes=["reports:read"])
    finally:
        await db.close()
    for words in (("keys", "list"), ("verify",), ("status",), ("in-doubt", "list")):
        ended = await run(*words, DATABASE_URL=database)
        assert is_harmless(ended.out + ended.err), words
    assert "\\x1b[2K" in (await run("keys", "list", DATABASE_URL=database)).out
