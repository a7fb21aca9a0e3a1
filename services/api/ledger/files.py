"""The files of an import, with their columns and the kind of value in each."""

from dataclasses import dataclass

from services.api.ledger.kinds import (
    AMOUNT,
    AMOUNT_NOT_NEGATIVE,
    CURRENCY,
    DATE,
    EMAIL,
    FISCAL_YEAR_START,
    ID,
    INTEGER,
    LOCALE,
    TEXT,
    TIME,
    TIMEZONE,
    ColumnKind,
    choice,
)


@dataclass(frozen=True)
class Column:
    """A column. An optional one may be absent; an empty value means `default`, in SQL."""

    name: str
    kind: ColumnKind
    required: bool = True
    default: str | None = None


@dataclass(frozen=True)
class LedgerFile:
    """A file `<table>.csv`, whose rows go into the table of that name, with the key `key`."""

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("business_id", "id")

    @property
    def name(self) -> str:
        """The file's name in the directory."""
        return f"{self.table}.csv"


def _optional(name: str, kind: ColumnKind = TEXT, default: str | None = None) -> Column:
    return Column(name, kind, required=False, default=default)


_NOW = "now() AT TIME ZONE 'UTC'"

# In the order of writing: no table refers to a later one.
FILES = (
    LedgerFile(
        "businesses",
        (
            Column("id", ID),
            Column("owner_id", INTEGER),
            Column("name", TEXT),
            _optional("email", EMAIL),
            _optional("phone"),
            _optional("address"),
            Column("currency", CURRENCY),
            Column("timezone", TIMEZONE),
            _optional("fiscal_year_start", FISCAL_YEAR_START, default="'01-01'"),
            _optional("locale", LOCALE),
        ),
        key=("id",),
    ),
    LedgerFile(
        "categories",
        (Column("id", ID), Column("business_id", ID), Column("name", TEXT)),
    ),
    LedgerFile(
        "customers",
        (
            Column("id", ID),
            Column("business_id", ID),
            Column("owner_id", INTEGER),
            _optional("first_name"),
            _optional("last_name"),
            _optional("phone_number"),
            _optional("business_name"),
            _optional("business_address"),
            _optional("business_phone"),
            _optional("business_location"),
            _optional("business_email", EMAIL),
            _optional("account_id", INTEGER),
            _optional("category_id", ID),
            _optional("deposit_account_id", INTEGER),
            _optional("opening_balance", AMOUNT, default="0"),
            _optional("archived", choice("0", "1", sql_type="smallint"), default="0"),
            _optional("created_at", TIME, default=f"stored.created_at, {_NOW}"),
            _optional("updated_at", TIME, default=f"stored.updated_at, {_NOW}"),
            _optional("locale", LOCALE),
        ),
    ),
    LedgerFile(
        "invoices",
        (
            Column("id", ID),
            Column("business_id", ID),
            Column("customer_id", ID),
            Column("number", TEXT),
            Column("kind", choice("invoice", "credit_note")),
            Column("status", choice("draft", "issued", "void")),
            Column("issue_date", DATE),
            _optional("due_date", DATE),
            Column("total", AMOUNT_NOT_NEGATIVE),
        ),
    ),
    LedgerFile(
        "payments",
        (
            Column("id", ID),
            Column("business_id", ID),
            Column("invoice_id", ID),
            Column("paid_on", DATE),
            Column("amount", AMOUNT),
            Column("channel", choice("manual", "online")),
            _optional("method"),
            _optional("reference"),
            Column("status", choice("pending", "settled", "failed")),
        ),
    ),
    LedgerFile(
        "deposits",
        (
            Column("id", ID),
            Column("business_id", ID),
            Column("customer_id", ID),
            Column("entry_date", DATE),
            Column("amount", AMOUNT_NOT_NEGATIVE),
            Column("type", choice("credit", "debit")),
        ),
    ),
)
