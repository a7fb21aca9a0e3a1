"""Requests about batches of another business."""

from collections.abc import Iterable

from tests.contract.call import NO_CUSTOMER, NOTHING, QUERY, REPORTS, Call, Calls, Table
from tests.contract.tenants import Tenant

BATCHES = "/api/v3/batches"


def _send(caller: Tenant, other: Tenant) -> Iterable[Call]:
    """Requests for batches, also of the other's customers and under its Idempotency-Key."""
    path = f"{REPORTS}/transactions/send"
    for asked in ({"id": [1]}, {"id": [1, other.own_customer]}, {"archived": False}):
        yield Call(path, params=QUERY, json={"filter": asked, "copy_to_me": True})
    for asked in ({"id": [1, other.own_customer]}, {"q": ""}):
        yield Call(path, params={**QUERY, "dry_run": "1"}, json={"filter": asked})
    key = {"Idempotency-Key": other.idempotency_key}
    yield Call(path, params=QUERY, json={"filter": {"id": 2}}, headers=key)


def _batches(path: str) -> Calls:
    """Calls about the other's batches."""

    def calls(_: Tenant, other: Tenant) -> Iterable[Call]:
        for batch in other.batches:
            yield Call(path, (str(batch), NOTHING))
        for send in other.sends.values():
            yield Call(path, (str(send), NOTHING))

    return calls


def _frozen_list(_: Tenant, other: Tenant) -> Iterable[Call]:
    for name in (other.frozen_list, *other.batches):
        yield Call("/api/v3/frozen-lists/{}", (str(name), NOTHING))


def _history(_: Tenant, other: Tenant) -> Iterable[Call]:
    yield Call(BATCHES)
    for status in ("scheduled", "sending", "done", "cancelled"):
        yield Call(BATCHES, params={"status": status})
    yield Call(f"{BATCHES}?schedule_id={{}}", (str(other.batches[0]), NOTHING))
    for cursor in other.cursors[BATCHES]:
        yield Call(BATCHES, params={"cursor": cursor})
    sends = "/api/v3/sends"
    for batch in other.batches:
        yield Call(f"{sends}?batch_id={{}}", (str(batch), NOTHING))
        yield Call(f"{sends}?schedule_id={{}}", (str(batch), NOTHING))
        about = f"{sends}?customer_id={other.own_customer}&batch_id={{}}"
        yield Call(about, (str(batch), NOTHING))
    yield Call(f"{sends}?customer_id={NO_CUSTOMER}&batch_id={{}}", (NOTHING, NOTHING))


BATCH_CALLS: Table = {
    ("POST", f"{REPORTS}/transactions/send"): _send,
    ("GET", BATCHES): _history,
    ("GET", f"{BATCHES}/{{id}}"): _batches(f"{BATCHES}/{{}}"),
    ("GET", f"{BATCHES}/{{id}}/sends"): _batches(f"{BATCHES}/{{}}/sends"),
    ("GET", f"{BATCHES}/{{id}}/skipped"): _batches(f"{BATCHES}/{{}}/skipped"),
    ("GET", "/api/v3/frozen-lists/{id}"): _frozen_list,
    ("POST", f"{BATCHES}/{{id}}/cancel"): _batches(f"{BATCHES}/{{}}/cancel"),
}
