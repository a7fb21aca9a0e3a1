"""The logged address is the caller's behind trusted proxies, and cannot be forged."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from services.api.http import forwarded
from shared.process.settings import ApiSettings, SettingsError
from tests.services.api.api_client import serving

Logged = Callable[[], list[dict[str, Any]]]
API = {"DATABASE_URL": "postgresql://127.0.0.1:1/nowhere"}


def settings(trusted: str) -> ApiSettings:
    return ApiSettings.from_environ({**API, "TRUSTED_PROXIES": trusted})


@pytest.mark.parametrize(
    ("trusted", "peer", "headers", "remote"),
    [
        ("", "10.0.0.1", ["192.0.2.7"], "10.0.0.1"),
        ("10.0.0.0/8", "203.0.113.9", ["192.0.2.7"], "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        # What the caller wrote itself stands before what the proxy added.
        ("10.0.0.0/8", "10.0.0.1", ["1.1.1.1, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.0/8", "10.0.0.1", ["1.1.1.1", "192.0.2.7"], "192.0.2.7"),
        ("10.0.0.0/8", "10.0.0.1", ["1.1.1.1, 192.0.2.7, 10.9.9.9"], "192.0.2.7"),
        ("10.0.0.0/8", "10.0.0.1", ["10.3.3.3, 10.9.9.9"], "10.3.3.3"),
        ("10.0.0.0/8", "10.0.0.1", ["1.1.1.1, unknown, 10.9.9.9"], "10.9.9.9"),
        ("10.0.0.0/8", "10.0.0.1", ["a@b.example"], "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", ["192.0.2.7:4711"], "192.0.2.7"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("2001:db8::/32, ::1", "::1", ["[2001:DB9::7]:443, 2001:db8::1"], "2001:db9::7"),
    ],
)
def test_the_last_hop_that_is_not_trusted(
    trusted: str, peer: str, headers: list[str], remote: str
) -> None:
    given = CIMultiDict([("X-Forwarded-For", each) for each in headers])
    request = make_mocked_request("GET", "/", headers=given).clone(remote=peer)
    assert forwarded.remote(request, settings(trusted).trusted_proxies) == remote


@pytest.mark.parametrize(("trusted", "remote"), [("127.0.0.0/8", "192.0.2.7"), ("", "127.0.0.1")])
async def test_it_stands_in_the_log(logged: Logged, trusted: str, remote: str) -> None:
    async with serving(settings(trusted)) as api:
        await api.get("/", key=None, headers={"X-Forwarded-For": "192.0.2.7"})
    [line] = [each for each in logged() if each["event"] == "request_answered"]
    assert line["remote"] == remote


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "proxy", "10.0.0.0/8,", "10.0.0.0/33"])
def test_what_is_no_network(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"^TRUSTED_PROXIES: should be networks like 10"):
        settings(wrong)
