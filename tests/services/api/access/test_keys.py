import re
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from services.api.access import store
from services.api.access.model import Key
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.command import run

ONE = f"{REPORTS}/client/4/{NOVEMBER}"


def test_a_key_has_a_form_that_scanners_know() -> None:
    keys = {Key.generate().text for _ in range(200)}
    assert len(keys) == 200
    assert all(re.fullmatch(r"ledgerpost_[0-9A-Za-z]{46}", key) for key in keys)


def test_a_key_of_another_day_is_still_one() -> None:
    # Its checksum was computed apart from this program: CRC-32 of the rest, in base 62.
    assert Key.parse("ledgerpost_" + "0123456789" * 4 + "0PhCkA") is not None


@pytest.mark.parametrize("place", [11, 30, 50, 51, 56])
def test_a_mistyped_key_is_noticed_without_a_query(place: int) -> None:
    text = Key.generate().text
    other = "a" if text[place] != "a" else "b"
    assert Key.parse(text[:place] + other + text[place + 1 :]) is None
    assert Key.parse(text[:place] + text[place + 1 :]) is None


def test_a_key_is_not_shown_by_accident() -> None:
    key = Key.generate()
    assert key.text not in repr(key)
    assert key.text.startswith(key.prefix)
    assert len(key.prefix) == len("ledgerpost_") + 8


async def test_only_the_hash_of_a_key_is_stored(database: str) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute(
        "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
        " VALUES (1, 1, 'One', 'EUR', 'UTC')"
    )
    key = await store.create(conn, business_id=1, name="test", scopes=["reports:read"])
    row = await conn.fetchrow("SELECT * FROM api_keys")
    principal = await store.principal(conn, key.sha256)
    await conn.close()
    assert row is not None
    assert row["sha256"] == key.sha256
    assert key.text.removeprefix(key.prefix) not in str(dict(row))
    assert principal is not None
    assert (principal.business_id, principal.scopes) == (1, frozenset({"reports:read"}))


async def test_a_key_is_created_used_listed_and_revoked(golden: str, api: Api) -> None:
    made = await run("keys", "create", "--business", "2", "--name", "shop", DATABASE_URL=golden)
    assert (made.status, made.err) == (0, "")
    key = made.out.removesuffix("\n")
    assert Key.parse(key) is not None
    assert (await api.get(ONE, key=key)).json["business_name"] == "Amin"

    listed = await run("keys", "list", DATABASE_URL=golden)
    line = next(line for line in listed.out.splitlines() if "shop" in line)
    number, business, name, prefix = line.split()[:4]
    assert (business, name) == ("2", "shop")
    assert key.startswith(prefix)
    assert key not in listed.out

    for spoken in (number, prefix, number):
        revoked = await run("keys", "revoke", spoken, DATABASE_URL=golden)
        assert (revoked.status, revoked.err) == (0, "")
        answer = await api.get(ONE, key=key)
        assert answer.status == 401
        assert answer.json["type"] == "/problems/unauthenticated"
    unknown = await run("keys", "revoke", "ledgerpost_unknown0", DATABASE_URL=golden)
    assert (unknown.status, unknown.out) == (1, "")
    assert len(unknown.err.splitlines()) == 1


async def test_a_key_of_one_scope(
    golden: str, api: Api, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    made = await run(
        "keys", "create", "--business", "1", "--name", "r", "--scope", "reports:read",
        DATABASE_URL=golden,
    )  # fmt: skip
    key = made.out.strip()
    assert (await api.get(ONE, key=key)).status == 200
    assert (await api.get("/api/v3/sends", key=key)).status == 403
    assert not [each for each in logged() if each["level"] == "warning"]


async def test_what_keys_create_refuses(readable: str) -> None:
    unknown = await run("keys", "create", "--business", "99", "--name", "x", DATABASE_URL=readable)
    assert (unknown.status, unknown.out) == (1, "")
    assert unknown.err == "Error: there is no business 99\n"
    scope = await run(
        "keys", "create", "--business", "1", "--name", "x", "--scope", "all",
        DATABASE_URL=readable,
    )  # fmt: skip
    assert (scope.status, scope.out) == (2, "")
    name = await run("keys", "create", "--business", "1", "--name", " \n", DATABASE_URL=readable)
    assert (name.status, name.out) == (2, "")
