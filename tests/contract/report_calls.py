"""Requests for reports, and for statements that are made of them, about another business."""

from collections.abc import Callable, Iterable

from tests.contract.call import DATES, ID, NO_CUSTOMER, REPORTS, Call, Calls, Table, customers
from tests.contract.tenants import Tenant

WORD = "2024-11"


def _over_period(method: str, route: str, calls: Callable[[str], Calls], path: str) -> Table:
    """Return the calls of a route whose path has a period: with its dates, and with its word."""
    return {
        (method, f"{REPORTS}{route}"): calls(f"{REPORTS}{path}"),
        (method, f"{REPORTS}{route.replace('{from}/{to}', '{period}')}"): calls(
            f"{REPORTS}{path.replace(DATES, WORD)}"
        ),
    }


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


def _figures(path: str) -> Calls:
    """Calls about figures that are made of every sort of record."""

    def calls(caller: Tenant, other: Tenant) -> Iterable[Call]:
        for figure in ("balance", "average_payment_terms", "deposit_amount"):
            yield from customers(path.replace("FIGURE", figure))(caller, other)

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


def _previews(path: str) -> Calls:
    """Calls for the snapshot and for the whole mail, also to a foreign address."""

    def calls(caller: Tenant, other: Tenant) -> Iterable[Call]:
        yield from customers(path, json={"message": f"{caller.word} message"})(caller, other)
        body = {"other_emails": ["shared@x.example"], "statement_kind": "open-items"}
        for form in ("text", "eml"):
            yield from customers(f"{path}?format={form}", json=body)(caller, other)

    return calls


REPORT_CALLS: Table = {
    **_over_period("GET", "/{from}/{to}", _list, f"/{DATES}"),
    **_over_period("GET", f"/client/{ID}/{{from}}/{{to}}", customers, f"/client/{{}}/{DATES}"),
    **_over_period(
        "GET",
        f"/client/{ID}/{{from}}/{{to}}/explain/{{field}}",
        _figures,
        f"/client/{{}}/{DATES}/explain/FIGURE",
    ),
    **_over_period(
        "GET",
        f"/client/{ID}/{{from}}/{{to}}/transactions",
        customers,
        f"/client/{{}}/{DATES}/transactions",
    ),
    **_over_period(
        "GET",
        f"/client/{ID}/{{from}}/{{to}}/statement",
        customers,
        f"/client/{{}}/{DATES}/statement",
    ),
    **_over_period(
        "POST",
        f"/client/{ID}/{{from}}/{{to}}/statement",
        _previews,
        f"/client/{{}}/{DATES}/statement",
    ),
    **_over_period("GET", "/{from}/{to}/summary", _summary, f"/{DATES}/summary"),
    **_over_period("GET", "/{from}/{to}/series", _series, f"/{DATES}/series"),
    **_over_period("POST", f"/client/{ID}/{{from}}/{{to}}", customers, f"/client/{{}}/{DATES}"),
    ("GET", f"{REPORTS}/aging"): _aging,
}
