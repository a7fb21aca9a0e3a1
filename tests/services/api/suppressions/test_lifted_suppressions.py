"""Suppressions that were lifted: who did it, when and why."""

from typing import Any

import pytest

from tests.services.api.api_client import Api
from tests.services.api.command import run
from tests.services.api.ledgers import new_key

LIST, LIFTED = "/api/v3/suppressions", "/api/v3/lifted-suppressions"


async def lift(api: Api, email: str, why: str = "") -> None:
    assert (await api.post(LIST, json={"email": email, "reason": "rang"})).status == 201
    answer = await api.ask("DELETE", f"{LIST}/{email}", params={"why": why} if why else {})
    assert answer.status == 204, answer.text


async def lifted(api: Api, **options: Any) -> Any:
    answer = await api.get(LIFTED, **options)
    assert answer.status == 200, answer.text
    return answer.json


async def test_who_lifted_an_entry_and_why_is_shown(api: Api, golden: str) -> None:
    await lift(api, "ann@x.example", "she rang again")
    [shown] = (await lifted(api))["data"]
    me = (await api.get("/api/v3/me")).json["key"]["id"]
    assert (shown["email"], shown["why"], shown["lifted_by"]) == (
        "ann@x.example", "she rang again", f"key {me}",
    )  # fmt: skip
    assert (shown["reason"], shown["reason_code"]) == ("rang", "suppressed_by_business")
    assert shown["suppressed_at"] <= shown["lifted_at"]
    other = await new_key(golden, 2)
    assert (await lifted(api, key=other))["data"] == []


async def test_each_is_on_one_page_newest_first(api: Api) -> None:
    names = [f"a{number}@x.example" for number in range(5)]
    for name in [*names, names[0]]:
        await lift(api, name)
    found, cursor = [], None
    while True:
        page = await lifted(api, params={"limit": "2"} | ({"cursor": cursor} if cursor else {}))
        found += [each["email"] for each in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [names[0], *reversed(names)]


async def test_an_operator_lists_and_lifts_by_command(api: Api, golden: str) -> None:
    said = {"DATABASE_URL": golden}
    assert (await api.post(LIST, json={"email": "ann@x.example"})).status == 201
    listed = await run("suppressions", "list", "--business", "1", **said)
    assert "ann@x.example" in listed.out, listed.err
    words = ("suppressions", "lift", "--business", "1", "ANN@x.example", "--why", "asked")
    done = await run(*words, **said)
    assert (done.status, done.out) == (0, "the address is mailed again\n"), done.err
    again = await run(*words, **said)
    assert (again.status, "no such suppression" in again.err) == (1, True)
    assert (await api.get(LIST)).json["data"] == []
    history = await run("suppressions", "list", "--business", "1", "--lifted", **said)
    assert history.out.split()[-3:] == [*history.out.split()[-3:-2], "command", "asked"]
    [shown] = (await lifted(api))["data"]
    assert (shown["lifted_by"], shown["why"]) == ("command", "asked")


@pytest.mark.parametrize("query", ["?cursor=x", "?limit=0", "?email=a"])
async def test_a_wrong_query_is_refused(api: Api, query: str) -> None:
    assert (await api.get(f"{LIFTED}{query}")).status == 422
