"""Requests of one business for objects of another: by every route and every kind of name."""

import io
from collections.abc import Iterable

from PIL import Image

from services.api.formats.page.assets import assets
from tests.contract.batch_calls import BATCH_CALLS
from tests.contract.call import DATES, ID, NO_CUSTOMER, REPORTS, Call, Calls, Table, customers
from tests.contract.report_calls import REPORT_CALLS
from tests.contract.return_calls import RETURN_CALLS
from tests.contract.schedule_calls import SCHEDULE_CALLS
from tests.contract.send_calls import SEND_CALLS
from tests.contract.tenants import Tenant

# The lists whose pages begin at a cursor.
LISTS = (
    "/api/v3/customers",
    "/api/v3/schedules",
    "/api/v3/sends",
    "/api/v3/batches",
    "/api/v3/returns",
    "/api/v3/suppressions",
    "/api/v3/lifted-suppressions",
    "/api/v3/deliveries/in-doubt",
)


def _customer_list(_: Tenant, other: Tenant) -> Iterable[Call]:
    path = "/api/v3/customers"
    yield Call(path)
    for archived in ("0", "1"):
        yield Call(path, params={"archived": archived})
    yield Call(path + "?q={}", (other.word, "no such word"))
    for cursor in other.cursors[path]:
        yield Call(path, params={"cursor": cursor})


def _verify(_: Tenant, other: Tenant) -> Iterable[Call]:
    """Calls with the hash of the other's statement, but not with its balance."""
    for closing in ("0", "0.01", "-1"):
        yield Call(f"/verify/{{}}?closing={closing}", (other.statement, "0" * 64))
    yield Call(f"/verify/{other.statement}", headers={"Accept": "text/html"})


def _sign_in(caller: Tenant, other: Tenant) -> Iterable[Call]:
    yield Call("/sign-in", json={"key": caller.key, "next": f"{REPORTS}/{DATES}"})


def _branding(_: Tenant, other: Tenant) -> Iterable[Call]:
    yield Call("/api/v3/branding", json={"sender_name": "walker", "paper": "letter"})


def _logo(_: Tenant, other: Tenant) -> Iterable[Call]:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    headers = {"Content-Type": "image/png"}
    yield Call("/api/v3/branding/logo", data=file.getvalue(), headers=headers)


def _figure(_: Tenant, other: Tenant) -> Iterable[Call]:
    yield Call(f"/reports/{DATES}/{{}}/balance", (str(other.own_customer), NO_CUSTOMER))


def _open(path: str) -> Calls:
    return lambda caller, other: [Call(path)]


# Every route of services/api/routes.py. A new one fails the walk until it stands here.
CALLS: Table = {
    **REPORT_CALLS,
    **RETURN_CALLS,
    **SCHEDULE_CALLS,
    **SEND_CALLS,
    **BATCH_CALLS,
    ("GET", "/api/v3/me"): _open("/api/v3/me"),
    ("GET", "/api/v3/customers"): _customer_list,
    ("GET", "/api/v3/branding"): _open("/api/v3/branding"),
    ("PUT", "/api/v3/branding"): _branding,
    ("GET", "/api/v3/branding/logo"): _open("/api/v3/branding/logo"),
    ("PUT", "/api/v3/branding/logo"): _logo,
    ("DELETE", "/api/v3/branding/logo"): _open("/api/v3/branding/logo"),
    ("GET", "/verify"): _open("/verify"),
    ("GET", "/verify/{sha256}"): _verify,
    ("GET", "/sign-in"): _open("/sign-in"),
    ("POST", "/sign-in"): _sign_in,
    ("POST", "/sign-out"): _open("/sign-out"),
    ("GET", "/reports"): _open("/reports"),
    ("GET", f"/reports/{{from}}/{{to}}/{ID}"): customers(f"/reports/{DATES}/{{}}"),
    ("GET", f"/reports/{{from}}/{{to}}/{ID}/{{field}}"): _figure,
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
