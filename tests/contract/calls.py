"""Requests of one business for objects of another: by every route and every kind of name."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from services.api.formats.page.assets import assets
from shared.mail.unsubscribe import Links
from tests.contract.tenants import PERIOD, Tenant

REPORTS = "/api/v3/reports/customers"
SEND_NAMES = (
    f"{REPORTS}/client/transactions/send/{{}}",
    "/api/v3/clients/{}/transactions/send",
    "/api/v3/client/transactions/send/{}",
)
# The lists whose pages begin at a cursor.
LISTS = (
    "/api/v3/customers",
    "/api/v3/sends",
    "/api/v3/suppressions",
    "/api/v3/deliveries/in-doubt",
)
DATES = f"{PERIOD.start}/{PERIOD.end}"
WORD = "2024-11"
QUERY = {"from": str(PERIOD.start), "to": str(PERIOD.end)}
CLICK = {"List-Unsubscribe": "One-Click"}
NOTHING = "0198c0de-0000-7000-8000-000000000000"
NO_CUSTOMER = "9000"
_ID = "{id:[0-9]+}"


@dataclass(frozen=True)
class Call:
    """A request, with the name of another business's object and with a name that does not exist."""

    path: str
    about: tuple[str, str] | None = None
    params: dict[str, str] = field(default_factory=dict)
    json: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


Calls = Callable[[Tenant, Tenant], Iterable[Call]]
_Table = dict[tuple[str, str], Calls]


def _customers(path: str, **given: Any) -> Calls:
    """Calls about a customer id that all businesses have, and one that only the other has."""

    def calls(_: Tenant, other: Tenant) -> Iterable[Call]:
        yield Call(path.format(1), **given)
        yield Call(path, (str(other.own_customer), NO_CUSTOMER), **given)

    return calls


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
        yield from _customers(path, params=QUERY, json={"copy_to_me": True})(caller, other)
        same = {"params": QUERY, "headers": {"Idempotency-Key": other.idempotency_key}}
        yield Call(path, (str(other.own_customer), NO_CUSTOMER), **same)
        yield Call(path.format(1), **same)
        listed_there = {"other_emails": [f"only{other.id}@x.example"]}
        yield Call(path.format(1), params=QUERY, json=listed_there)

    return calls


def _customer_list(_: Tenant, other: Tenant) -> Iterable[Call]:
    path = "/api/v3/customers"
    yield Call(path)
    for archived in ("0", "1"):
        yield Call(path, params={"archived": archived})
    yield Call(path + "?q={}", (other.word, "no such word"))
    for cursor in other.cursors[path]:
        yield Call(path, params={"cursor": cursor})


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


def _list(path: str) -> Calls:
    def calls(_: Tenant, other: Tenant) -> Iterable[Call]:
        yield Call(path)
        for tag in other.tags:
            yield Call(path, headers={"If-None-Match": tag})
        for options in ("meta=1&compare=previous-year&id=1", "format=csv", "active=1"):
            yield Call(f"{path}?{options}")
        yield Call(f"{path}?per_page=1&sort=-amount_due")
        # The tag covers the parameters, so that it differs from that of an unknown customer.
        yield Call(f"{path}?id={other.own_customer}")

    return calls


def _aging(_: Tenant, other: Tenant) -> Iterable[Call]:
    path = f"{REPORTS}/aging"
    yield Call(path)
    for options in (
        *("as_of=2024-11-06&buckets=5", "format=csv", "per_page=1&sort=total"),
        f"id={other.own_customer}",
    ):
        yield Call(f"{path}?{options}")
    for tag in other.tags:
        yield Call(path, headers={"If-None-Match": tag})


def _over_period(method: str, route: str, calls: Callable[[str], Calls], path: str) -> _Table:
    """Return the calls of a route whose path has a period: with its dates, and with its word."""
    return {
        (method, f"{REPORTS}{route}"): calls(f"{REPORTS}{path}"),
        (method, f"{REPORTS}{route.replace('{from}/{to}', '{period}')}"): calls(
            f"{REPORTS}{path.replace(DATES, WORD)}"
        ),
    }


def _sign_in(caller: Tenant, other: Tenant) -> Iterable[Call]:
    yield Call("/sign-in", json={"key": caller.key, "next": f"{REPORTS}/{DATES}"})


def _figure(_: Tenant, other: Tenant) -> Iterable[Call]:
    yield Call(f"/reports/{DATES}/{{}}/balance", (str(other.own_customer), NO_CUSTOMER))


def _open(path: str) -> Calls:
    return lambda caller, other: [Call(path)]


def _figures(path: str) -> Calls:
    """Calls about figures that are made of every sort of record."""

    def calls(caller: Tenant, other: Tenant) -> Iterable[Call]:
        for figure in ("balance", "average_payment_terms", "deposit_amount"):
            yield from _customers(path.replace("FIGURE", figure))(caller, other)

    return calls


def _summary(path: str) -> Calls:
    """Calls for all customers, and for filters that choose customers of the other business."""

    def calls(_: Tenant, other: Tenant) -> Iterable[Call]:
        yield Call(path)
        yield Call(path, params={"by": "balance", "compare": "previous-year", "basis": "cash"})
        yield Call(path, params={"id": str(other.own_customer)})
        yield Call(path, params={"format": "html"})
        for tag in other.tags:
            yield Call(path, headers={"If-None-Match": tag})

    return calls


def _series(path: str) -> Calls:
    """Calls for all customers, and for one whose id only the other business has."""

    def calls(_: Tenant, other: Tenant) -> Iterable[Call]:
        yield Call(path)
        yield Call(path, params={"id": "1", "basis": "cash"})
        yield Call(f"{path}?id={{}}", (str(other.own_customer), NO_CUSTOMER))

    return calls


# Every route of services/api/routes.py. A new one fails the walk until it stands here.
CALLS: _Table = {
    **_over_period("GET", "/{from}/{to}", _list, f"/{DATES}"),
    **_over_period("GET", f"/client/{_ID}/{{from}}/{{to}}", _customers, f"/client/{{}}/{DATES}"),
    **_over_period(
        "GET",
        f"/client/{_ID}/{{from}}/{{to}}/explain/{{field}}",
        _figures,
        f"/client/{{}}/{DATES}/explain/FIGURE",
    ),
    **_over_period(
        "GET",
        f"/client/{_ID}/{{from}}/{{to}}/transactions",
        _customers,
        f"/client/{{}}/{DATES}/transactions",
    ),
    **_over_period("GET", "/{from}/{to}/summary", _summary, f"/{DATES}/summary"),
    **_over_period("GET", "/{from}/{to}/series", _series, f"/{DATES}/series"),
    **_over_period("POST", f"/client/{_ID}/{{from}}/{{to}}", _customers, f"/client/{{}}/{DATES}"),
    ("GET", f"{REPORTS}/aging"): _aging,
    **{("POST", name.format(_ID)): _send(name) for name in SEND_NAMES},
    ("GET", "/api/v3/me"): _open("/api/v3/me"),
    ("GET", "/api/v3/customers"): _customer_list,
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
    ("POST", "/api/v3/suppressions"): _suppress,
    ("DELETE", "/api/v3/suppressions/{email}"): _lift,
    ("GET", "/unsubscribe/{token}"): _links,
    ("POST", "/unsubscribe/{token}"): _links,
    ("GET", "/sign-in"): _open("/sign-in"),
    ("POST", "/sign-in"): _sign_in,
    ("POST", "/sign-out"): _open("/sign-out"),
    ("GET", "/reports"): _open("/reports"),
    ("GET", f"/reports/{{from}}/{{to}}/{_ID}"): _customers(f"/reports/{DATES}/{{}}"),
    ("GET", f"/reports/{{from}}/{{to}}/{_ID}/{{field}}"): _figure,
    ("GET", "/assets/{asset}"): _open(assets()["page.css"].url),
    ("GET", "/openapi.json"): _open("/openapi.json"),
    ("GET", "/"): _open("/"),
    ("GET", "/favicon.ico"): _open("/favicon.ico"),
    ("GET", "/problems/{type}"): _open("/problems/not-found"),
    ("GET", "/docs"): _open("/docs"),
    ("GET", "/docs/"): _open("/docs/"),
    ("GET", "/docs/{asset}"): _open("/docs/start.js"),
    ("GET", "/health/live"): _open("/health/live"),
    ("GET", "/health/ready"): _open("/health/ready"),
    ("GET", "/metrics"): _open("/metrics"),
}
