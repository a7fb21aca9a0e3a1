"""The `type` of every problem leads to a page about it."""

import pytest

from services.api.core.problems import KINDS
from tests.contract.test_openapi import DOCUMENT
from tests.services.api.api_client import REPORTS, Api

TYPES = sorted({kind.type for kind in KINDS.values()})


@pytest.mark.parametrize("path", TYPES)
async def test_a_type_is_explained_to_programs_and_people(reader: Api, path: str) -> None:
    kind = next(each for each in KINDS.values() if each.type == path)
    told = await reader.get(path, key=None)
    assert told.status == 200
    assert told.json == {
        "type": path,
        "title": kind.title,
        "status": kind.status,
        "meaning": kind.meaning,
        "advice": kind.advice,
    }
    page = await reader.get(path, key=None, headers={"Accept": "text/html"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Vary"] == "Accept"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert f"<title>{kind.title}" in page.text
    assert f"{kind.status.value} {kind.status.phrase}" in page.text
    assert path in page.text
    assert "{" not in page.text.partition("<pre>")[0]
    assert "`" not in page.text


async def test_the_type_of_a_refusal_leads_to_its_page(reader: Api) -> None:
    refused = await reader.get(f"{REPORTS}/client/99/2024")
    page = await reader.get(refused.json["type"], key=None)
    assert (page.json["title"], page.json["status"]) == (refused.json["title"], refused.status)


@pytest.mark.parametrize("name", ["unknown", "Not-Found", "..%2Fhealth", "<b>", "not-found%00"])
async def test_another_type_is_not_found(reader: Api, name: str) -> None:
    answer = await reader.get(f"/problems/{name}", key=None)
    assert answer.status == 404
    assert answer.json["detail"] == "There is no such type of problem."


def test_the_document_has_the_same_words() -> None:
    described = DOCUMENT["components"]["responses"]
    for kind in KINDS.values():
        name = kind.status.phrase.replace(" ", "")
        assert kind.meaning in described[name]["description"]
        assert f"`{kind.type}`" in described[name]["description"]
    assert set(DOCUMENT["components"]["parameters"]["problem_type"]["schema"]["enum"]) == {
        each.removeprefix("/problems/") for each in TYPES
    }
