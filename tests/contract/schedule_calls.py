"""Requests about schedules of another business."""

from collections.abc import Iterable
from typing import Any

from tests.contract.call import NOTHING, Call, Calls, Table
from tests.contract.tenants import Tenant

_PATH = "/api/v3/schedules"
_ONE = f"{_PATH}/{{id}}"


def _list(_: Tenant, other: Tenant) -> Iterable[Call]:
    yield Call(_PATH)
    yield Call(_PATH, params={"limit": "1"})
    for cursor in other.cursors[_PATH]:
        yield Call(_PATH, params={"cursor": cursor})


def _create(_: Tenant, other: Tenant) -> Iterable[Call]:
    body = {
        "name": "walker",
        "rule": {"every": "week", "weekday": "mon"},
        "time": "09:00",
        "period": "last-week",
        "filter": {"id": [other.own_customer]},
    }
    yield Call(_PATH, json=body)


def _schedules(path: str = "", **body: Any) -> Calls:
    def calls(_: Tenant, other: Tenant) -> Iterable[Call]:
        for schedule in other.schedules:
            yield Call(f"{_PATH}/{{}}{path}", (str(schedule), NOTHING), json=body or None)

    return calls


SCHEDULE_CALLS: Table = {
    ("GET", _PATH): _list,
    ("POST", _PATH): _create,
    ("GET", _ONE): _schedules(),
    ("PATCH", _ONE): _schedules(name="walker", time="10:00"),
    ("DELETE", _ONE): _schedules(),
    ("GET", f"{_ONE}/upcoming"): _schedules("/upcoming"),
    ("POST", f"{_ONE}/pause"): _schedules("/pause"),
    ("POST", f"{_ONE}/resume"): _schedules("/resume"),
    ("POST", f"{_ONE}/skip"): _schedules("/skip"),
    ("POST", f"{_ONE}/run"): _schedules("/run"),
}
