"""The demo ledger: a fabric wholesaler in Accra and a small roastery in Berlin, always the same."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from demo.names import (
    ABROAD,
    CAFES,
    CATEGORIES,
    FIRST_NAMES,
    LAST_NAMES,
    SHOPS,
    STREETS,
    TOWNS,
)
from demo.trade import FIRST_DAY, LAST_DAY, Row, Trade, chance

SEED = 20261031
# Ids that a real ledger is unlikely to have, because real ids begin at 1.
WHOLESALER, ROASTERY = 900_000_001, 900_000_002
WHOLESALE_CUSTOMERS = 260

BUSINESSES: list[Row] = [
    {
        "id": WHOLESALER,
        "owner_id": WHOLESALER,
        "name": "Adinkra Fabrics Ltd",
        "email": "accounts@adinkra-fabrics.example",
        "phone": "+233 30 200 0417",
        "address": "14 Market Lane\nMakola, Accra",
        "currency": "GHS",
        "timezone": "Africa/Accra",
    },
    {
        "id": ROASTERY,
        "owner_id": ROASTERY,
        "name": "Rösterei Südwind",
        "email": "buero@suedwind.example",
        "phone": None,
        "address": "Sonnenallee 12\n12045 Berlin",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
    },
]


def write(directory: Path) -> None:
    """Write the demo ledger as import files; every run writes the same bytes."""
    lot = Random(SEED)
    cloth = Trade(WHOLESALER, "AF", ("momo", "cash", "bank", "cheque"), lot)
    customers = [_shop(lot, cloth, number) for number in range(1, WHOLESALE_CUSTOMERS + 1)]
    coffee = Trade(ROASTERY, "RE", ("card", "bank", "cash"), lot)
    customers += [_cafe(lot, coffee, number, name) for number, name in enumerate(CAFES, 1)]
    tables = {
        "businesses": BUSINESSES,
        "categories": [
            {"id": number, "business_id": WHOLESALER, "name": name}
            for number, name in enumerate(CATEGORIES, 2)
        ],
        "customers": customers,
        "invoices": cloth.invoices + coffee.invoices,
        "payments": cloth.payments + coffee.payments,
        "deposits": cloth.deposits + coffee.deposits,
    }
    directory.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.items():
        (directory / f"{table}.csv").write_text(_csv(rows), "utf-8", newline="")


def _shop(lot: Random, trade: Trade, number: int) -> Row:
    first, last = lot.choice(FIRST_NAMES), lot.choice(LAST_NAMES)
    shop = f"{lot.choice((first, last))} {lot.choice(SHOPS)}"
    town = lot.choice(TOWNS)
    archived = chance(lot, 0.04)
    has_email = number == 1 or chance(lot, 0.85)
    size = lot.paretovariate(1.2)
    trade.with_customer(
        number,
        a_year=0 if chance(lot, 0.05) else round(min(24, 3 + 2 * size)),
        usual=round(min(30_000, 600 * size)),
        terms=lot.choice((7, 14, 30, 30)),
    )
    return _customer(lot, WHOLESALER, number) | {
        "first_name": first,
        "last_name": last,
        "phone_number": f"+233 24 {lot.randint(100, 999)} {lot.randint(1000, 9999)}",
        "business_name": shop,
        "business_address": f"{lot.randint(1, 90)} {lot.choice(STREETS)}, {town}",
        "business_phone": "" if chance(lot, 0.3) else None,
        "business_location": town,
        "business_email": f"{first}.{last}{number}@customers.example".lower()
        if has_email
        else None,
        "category_id": lot.choice((None, 2, 3, 4, 5, 6)),
        "opening_balance": Decimal(lot.choice((0, 0, 0, 15_050, -2_500))).scaleb(-1),
        "archived": int(archived),
        **ABROAD.get(number, {}),
    }


def _cafe(lot: Random, trade: Trade, number: int, name: str) -> Row:
    trade.with_customer(number, a_year=18, usual=240, terms=14)
    return _customer(lot, ROASTERY, number) | {
        "business_name": f"Café {name}",
        "business_location": "Berlin",
        "business_email": f"kontakt{number}@cafes.example",
    }


def _customer(lot: Random, business_id: int, number: int) -> Row:
    since = FIRST_DAY - timedelta(days=lot.randint(1, 900))
    return {
        "id": number,
        "business_id": business_id,
        "owner_id": business_id,
        "first_name": None,
        "last_name": None,
        "phone_number": None,
        "business_name": None,
        "business_address": None,
        "business_phone": None,
        "business_location": None,
        "business_email": None,
        "account_id": 1000 * business_id + number,
        "category_id": None,
        "deposit_account_id": None,
        "opening_balance": Decimal(0),
        "archived": 0,
        "locale": None,
        "created_at": f"{since} 08:{lot.randint(10, 59)}:00",
        "updated_at": f"{LAST_DAY} 17:30:00",
    }


def _csv(rows: list[Row]) -> str:
    lines = [",".join(rows[0]), *(",".join(map(_field, row.values())) for row in rows)]
    return "\n".join(lines) + "\n"


def _field(value: Any) -> str:
    """Return one value as CSV: empty for None, quoted for an empty text."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    is_plain = text and not set(text) & set('",\r\n')
    return text if is_plain else '"' + text.replace('"', '""') + '"'
