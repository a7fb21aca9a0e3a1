"""Requests about sends, deliveries and suppressions of another business."""

import base64
from collections.abc import Iterable
from typing import Any

from shared.mail.unsubscribe import Links
from tests.contract.call import (
    ID,
    NO_CUSTOMER,
    NOTHING,
    QUERY,
    REPORTS,
    Call,
    Calls,
    Table,
    customers,
)
from tests.contract.tenants import Tenant

SEND_NAMES = (
    f"{REPORTS}/client/transactions/send/{{}}",
    "/api/v3/clients/{}/transactions/send",
    "/api/v3/client/transactions/send/{}",
)
CLICK = {"List-Unsubscribe": "One-Click"}


def _sends(path: str, *bodies: dict[str, Any]) -> Calls:
    """Calls about the other business's sends in every state."""

    def calls(_: Tenant, other: Tenant) -> Iterable[Call]:
        for send in other.sends.values():
            for body in bodies or (None,):
                yield Call(path, (str(send), NOTHING), json=body)

    return calls


def _send(path: str) -> Calls:
    """Request sends, also with the other business's request and Idempotency-Key."""

    def calls(caller: Tenant, other: Tenant) -> Iterable[Call]:
        yield from customers(path, params=QUERY, json={"copy_to_me": True})(caller, other)
        same = {"params": QUERY, "headers": {"Idempotency-Key": other.idempotency_key}}
        yield Call(path, (str(other.own_customer), NO_CUSTOMER), **same)
        yield Call(path.format(1), **same)
        listed_there = {"other_emails": [f"only{other.id}@x.example"]}
        yield Call(path.format(1), params=QUERY, json=listed_there)
        dry = {"params": {**QUERY, "dry_run": "1"}, "json": {"copy_to_me": True, **listed_there}}
        yield Call(path.format(1), **dry)
        yield Call(path, (str(other.own_customer), NO_CUSTOMER), **dry)

    return calls


def _history(_: Tenant, other: Tenant) -> Iterable[Call]:
    path = "/api/v3/sends"
    yield Call(path)
    yield Call(path, params={"customer_id": "1", "limit": "1"})
    for status in ("scheduled", "sending", "sent", "partly_failed", "failed", "cancelled"):
        yield Call(path, params={"status": status})
    yield Call(f"{path}?customer_id={{}}", (str(other.own_customer), NO_CUSTOMER))
    yield Call(f"{path}?recipient={{}}", (f"{other.word}-other@x.example", "nobody@x.example"))
    yield Call(f"{path}?q={{}}", (f"{other.word} message", "a message of nobody"))
    shared = {"recipient": "shared@x.example", "created_from": "2020-01-01"}
    yield Call(path, params=shared)
    yield Call(path, params={"q": "MESSAGE", "status": "sent", "created_to": "2999-12-31"})
    for cursor in other.cursors[path]:
        yield Call(path, params={"cursor": cursor})


def _doubts(_: Tenant, other: Tenant) -> Iterable[Call]:
    path = "/api/v3/deliveries/in-doubt"
    yield Call(path)
    for cursor in other.cursors[path]:
        yield Call(path, params={"cursor": cursor})


def _resolve(_: Tenant, other: Tenant) -> Iterable[Call]:
    for thing in (*other.deliveries.values(), *other.sends.values()):
        for resolution in ("sent", "resend", "failed"):
            about = (str(thing), NOTHING)
            yield Call("/api/v3/deliveries/{}/resolve", about, json={"as": resolution})


def _lifted(_: Tenant, other: Tenant) -> Iterable[Call]:
    path = "/api/v3/lifted-suppressions"
    yield Call(path)
    yield Call(path, params={"limit": "1"})
    for cursor in other.cursors[path]:
        yield Call(path, params={"cursor": cursor})


def _suppressions(_: Tenant, other: Tenant) -> Iterable[Call]:
    path = "/api/v3/suppressions"
    yield Call(path)
    for cursor in other.cursors[path]:
        yield Call(path, params={"cursor": cursor})


def _suppress(_: Tenant, other: Tenant) -> Iterable[Call]:
    # One that both have on their lists, and one that only the other has.
    for email in ("shared@x.example", f"only{other.id}@x.example"):
        yield Call("/api/v3/suppressions", json={"email": email})


def _lift(_: Tenant, other: Tenant) -> Iterable[Call]:
    yield Call("/api/v3/suppressions/{}", (f"only{other.id}@x.example", "only9@x.example"))
    yield Call(f"/api/v3/suppressions/shared{other.id}@x.example")


def _links(caller: Tenant, other: Tenant) -> Iterable[Call]:
    """Calls with links of others: guessed, spliced, a bare id; and with its own."""
    guessed = Links("guessed " * 5, "").url(other.deliveries["sent"]).rpartition("/")[2]
    raw = [base64.urlsafe_b64decode(f"{each.token}=") for each in (other, caller)]
    spliced = base64.urlsafe_b64encode(raw[0][:16] + raw[1][16:]).decode().rstrip("=")
    for token in (guessed, spliced, str(other.deliveries["sent"])):
        yield Call("/unsubscribe/{}", (token, "A" * len(token)), json=CLICK)
    yield Call(f"/unsubscribe/{caller.token}", json=CLICK)


SEND_CALLS: Table = {
    **{("POST", name.format(ID)): _send(name) for name in SEND_NAMES},
    ("GET", "/api/v3/sends"): _history,
    ("GET", "/api/v3/sends/{id}"): _sends("/api/v3/sends/{}"),
    ("POST", "/api/v3/sends/{id}/cancel"): _sends("/api/v3/sends/{}/cancel"),
    ("POST", "/api/v3/sends/{id}/reschedule"): _sends(
        "/api/v3/sends/{}/reschedule", {"send_at": "2031-01-01"}
    ),
    ("POST", "/api/v3/sends/{id}/resend"): _sends(
        "/api/v3/sends/{}/resend", {}, {"recipients": ["shared@x.example"]}
    ),
    ("GET", "/api/v3/deliveries/in-doubt"): _doubts,
    ("POST", "/api/v3/deliveries/{id}/resolve"): _resolve,
    ("GET", "/api/v3/suppressions"): _suppressions,
    ("GET", "/api/v3/lifted-suppressions"): _lifted,
    ("POST", "/api/v3/suppressions"): _suppress,
    ("DELETE", "/api/v3/suppressions/{email}"): _lift,
    ("GET", "/unsubscribe/{token}"): _links,
    ("POST", "/unsubscribe/{token}"): _links,
}
