"""Compares answers of the ageing view with the model."""

from datetime import date

from tests.services.api.views import aging, rows
from tests.services.api.views.case import Case, walked
from tests.services.api.views.random_ledgers import DAYS
from tests.services.api.views.wire import assert_same, wire
from tests.services.api.views.wire import read as read_json

LIMITS = [(30, 60, 90), (15, 45), (1,), (1, 2, 3, 4, 5, 6, 7, 3650), (29, 30, 31)]


def expected_rows(
    case: Case, as_of: date, limits: tuple[int, ...], sort: str, *, active: bool
) -> list[rows.Row]:
    found = []
    for account in case.accounts:
        amounts = aging.amounts(account, as_of, limits)
        assert amounts["total"] == aging.receivable_at(account, as_of)
        if active and not aging.has_part(amounts):
            continue
        customer = account.customer
        found.append({"id": customer.id, "business_name": customer.business_name, **amounts})
    return rows.in_order(found, sort, lambda text: case.places[text])


async def check(case: Case) -> None:
    """Ask for the ages of all open amounts on a day, whole and in pages."""
    random = case.random
    as_of, limits = random.choice(DAYS), random.choice(LIMITS)
    names = ["id", "business_name", *aging.columns(limits)]
    sort, active = random.choice(["", "-"]) + random.choice(names), random.random() < 0.3
    path = f"aging?as_of={as_of}&buckets={','.join(map(str, limits))}&sort={sort}"
    path += "&active=1" * active
    expected = expected_rows(case, as_of, limits, sort, active=active)
    found = read_json((await case.get(path)).text)
    assert_same(found["data"], wire(expected), path)
    sums = {name: sum(each[name] for each in expected) for name in aging.columns(limits)}
    assert_same(found["totals"], wire(sums), f"{path} totals")
    size = random.randint(1, len(expected) + 1)
    pages = await walked(case, f"{path}&per_page={size}", len(expected))
    assert_same(pages, wire(expected), f"{path} in pages of {size}")
