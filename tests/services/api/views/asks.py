"""What a caller may ask of the views, at random: options for the model, and the same as a query."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.services.api.views import rows
from tests.services.api.views.random_ledgers import AMOUNTS, DAYS, IDS

T = TypeVar("T")

PARTS = ["a", "APPLE", "zebra", "%", "_", "\\", "=", "ü", "Σ", "ж", "王", "@", " ", "x" * 50, '"']
_PERIODS = [
    (date(2024, 3, 1), date(2024, 3, 31)),
    (date(2024, 1, 1), date(2024, 12, 31)),
    (date(2024, 2, 15), date(2024, 5, 14)),
    (date(2025, 2, 1), date(2025, 2, 28)),
    (date(2, 1, 1), date(9999, 12, 31)),
]


def period(random: Random) -> tuple[date, date]:
    if random.random() < 0.4:
        return random.choice(_PERIODS)
    first, last = sorted(random.choices(DAYS, k=2))
    return first, last


def options(random: Random) -> rows.Options:
    """Random options; most are left as they are."""
    # Bounds that contradict each other are refused.
    least, most = sorted(random.choices(_bounds(), k=2))
    return rows.Options(
        sort=random.choice(["", "-"]) + random.choice(rows.SORTS),
        category_id=_some(random, [0, 1, 7, 8, 99]),
        archived=_maybe(random, [0, 1], 0.2),
        q=_maybe(random, PARTS, 0.2),
        id=_some(random, IDS["customers"], 0.1),
        active=random.random() < 0.3,
        min_balance=_maybe(random, [least], 0.2),
        max_balance=_maybe(random, [most], 0.2),
        min_owing=_maybe(random, _bounds(), 0.2),
        basis=random.choice(["accrual", "cash"]),
        compare=_maybe(random, ["previous-period", "previous-year"], 0.5),
    )


def query(asked: rows.Options, **more: Any) -> str:
    """The query string of these options."""
    pairs: list[tuple[str, Any]] = [("sort", asked.sort)]
    pairs += [("category_id", each) for each in asked.category_id]
    pairs += [("id", each) for each in asked.id]
    if asked.active:
        pairs.append(("active", 1))
    if asked.basis != "accrual":
        pairs.append(("basis", asked.basis))
    for name in ("archived", "q", "min_balance", "max_balance", "min_owing", "compare"):
        if (value := getattr(asked, name)) is not None:
            pairs.append((name, format(value, "f") if isinstance(value, Decimal) else value))
    return urlencode([*pairs, *more.items()])


def _bounds() -> list[Decimal]:
    return [*AMOUNTS, *(-each for each in AMOUNTS if each)]


def _maybe(random: Random, values: Sequence[T], chance: float) -> T | None:
    return random.choice(values) if random.random() < chance else None


def _some(random: Random, values: Sequence[T], chance: float = 0.2) -> tuple[T, ...]:
    return tuple(random.sample(values, random.randint(1, 4))) if random.random() < chance else ()
