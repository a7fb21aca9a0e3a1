"""A request of one business about an object of another, and what such requests have in common."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.contract.tenants import PERIOD, Tenant

REPORTS = "/api/v3/reports/customers"
DATES = f"{PERIOD.start}/{PERIOD.end}"
QUERY = {"from": str(PERIOD.start), "to": str(PERIOD.end)}
NOTHING = "0198c0de-0000-7000-8000-000000000000"
NO_CUSTOMER = "9000"
ID = "{id:[0-9]+}"


@dataclass(frozen=True)
class Call:
    """A request, with the name of another business's object and with a name that does not exist."""

    path: str
    about: tuple[str, str] | None = None
    params: dict[str, str] = field(default_factory=dict)
    json: dict[str, Any] | None = None
    data: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


Calls = Callable[[Tenant, Tenant], Iterable[Call]]
#: The calls of each route, by its method and path.
Table = dict[tuple[str, str], Calls]


def customers(path: str, **given: Any) -> Calls:
    """Calls about a customer id that all businesses have, and one that only the other has."""

    def calls(_: Tenant, other: Tenant) -> Iterable[Call]:
        yield Call(path.format(1), **given)
        yield Call(path, (str(other.own_customer), NO_CUSTOMER), **given)

    return calls
