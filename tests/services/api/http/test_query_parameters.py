from string import ascii_letters

import pytest

from services.api.routes import ROUTES
from tests.services.api.api_client import NOVEMBER, REPORTS, Api

ID = "0198c0de-0000-7000-8000-000000000000"
FILLED = {
    "{id:[0-9]+}": "4",
    "{from}": "2024-11-01",
    "{to}": "2024-11-30",
    "{period}": "2024-11",
    "{field}": "owing",
    "{id}": ID,
    "{email}": "a@x.example",
}


def path_of(template: str) -> str:
    for name, value in FILLED.items():
        template = template.replace(name, value)
    return template


@pytest.mark.parametrize(
    "route",
    [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES if route.scope],
)
async def test_every_call_refuses_what_it_does_not_take(reader: Api, route: object) -> None:
    path = path_of(route.path)  # type: ignore[attr-defined]
    answer = await reader.ask(route.method, f"{path}?form=2024-11-01&_=1")  # type: ignore[attr-defined]
    assert answer.fields == ["form", "_"]
    for name in route.query:  # type: ignore[attr-defined]
        assert name in answer.json["errors"][0]["message"]


async def test_an_answer_is_not_many_times_the_request(reader: Api) -> None:
    names = [f"{first}{second}" for first in ascii_letters for second in ascii_letters]
    query = "&".join([*names[:2_600], "x" * 300])
    refused = await reader.get(f"{REPORTS}/{NOVEMBER}?{query}")
    assert refused.fields == names[:50]
    assert len(refused.text) < len(query)
    alone = await reader.get(f"{REPORTS}/{NOVEMBER}?{'x' * 300}=1")
    assert alone.fields == ["x" * 200 + "…"]


async def test_a_misspelt_date_sends_nothing(api: Api) -> None:
    path = "/api/v3/clients/4/transactions/send?form=2024-11-01&from=2024-11-01&to=2024-11-30"
    refused = await api.post(path)
    assert refused.fields == ["form"]
    assert (await api.get("/api/v3/sends")).json["data"] == []


async def test_who_has_no_key_is_told_of_the_key_first(reader: Api) -> None:
    assert (await reader.get(f"{REPORTS}/{NOVEMBER}?x=1", key=None)).status == 401


@pytest.mark.parametrize("path", ["/health/live?probe=1", "/metrics?x=1"])
async def test_probes_may_add_what_they_like(reader: Api, path: str) -> None:
    assert (await reader.get(path)).status == 200
