"""No log line says an address, a token or a key that a caller put into a path or a header."""

import json
from typing import Any

import pytest

from services.api.access.model import Key
from services.api.http import request_log
from tests.services.api.api_client import Api

SECRET = "secret1@person.example"
TOKEN = "A" * 20 + "b-_0" + "C" * 19
PATHS = {
    f"//api/v3/suppressions/{SECRET}": "/…",
    f"/api/v3/Suppressions/{SECRET}": "/api/…",
    f"/api/v2/suppressions/{SECRET}": "/api/…",
    f"/api/v3/suppressions/{SECRET}/": "/api/…",
    f"/api/v3/suppressions/{SECRET}": "/api/…",
    f"/Unsubscribe/{TOKEN}": "/…",
    f"/unsubscribe/{TOKEN}": "/unsubscribe/{token}",
    f"/unsubscribe/{TOKEN}/": "/unsubscribe/…",
    f"/{SECRET}": "/…",
    f"/api/v3/sends/{SECRET}": "/api/v3/sends/{id}",
    f"/api/v3/reports/customers/{SECRET}/2024-11-30": "/api/v3/reports/customers/{from}/2024-11-30",
    "/api/v3/reports/customers/client/4/2024-11-01/2024-11-30": (
        "/api/v3/reports/customers/client/4/2024-11-01/2024-11-30"
    ),
    "/health/ready": "/health/ready",
}


@pytest.mark.parametrize(("path", "shown"), PATHS.items())
async def test_paths(reader: Api, path: str, shown: str, logged: Any) -> None:
    await reader.get(path)
    lines = logged()
    assert not any(said in json.dumps(lines) for said in ("secret1", TOKEN))
    requests = [each for each in lines if each["event"] == "request_answered"]
    if shown != "/health/ready":
        assert [each["path"] for each in requests] == [shown]


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("req-1", True),
        ("0190f3a2-7c1e-7abc-8def-0123456789ab", True),
        ("0af7651916cd43dd8448eb211c80319c", True),
        ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", True),
        ("Root=1-67891233-abcdef012345678912345678", True),
        pytest.param(Key.generate().text, False, id="a key"),
        pytest.param(Key.generate().text.removeprefix("ledgerpost_"), False, id="half a key"),
        (TOKEN, False),
        (f"for-{SECRET}", False),
        ("a b", False),
        ("x" * 129, False),
    ],
)
def test_ids_of_requests(given: str, *, is_kept: bool) -> None:
    assert request_log.request_id(given) == (given if is_kept else None)
