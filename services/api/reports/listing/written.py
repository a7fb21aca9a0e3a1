"""How a row of the list is written, as SQL."""

from functools import cache

from services.api.formats.json_value import Amounts
from services.api.formats.report import Kind
from services.api.reports.listing.fields import Field, fields
from services.api.reports.query import Arguments
from shared.db import sql

_fragments = sql.load("services.api.reports.listing")


@cache
def json_row(arguments: Arguments, amounts: Amounts, *, is_compared: bool) -> str:
    """Return the SQL that writes a row as a JSON object."""
    places = {
        each.sql: _json_amount(each, amounts)
        for each in fields(is_compared=is_compared)
        if each.kind is Kind.MONEY
    }
    comparison = sql.filled(_fragments.json_comparison, **places) if is_compared else ""
    return sql.filled(_fragments.json, **places, **arguments._asdict(), comparison=comparison)


@cache
def csv_row(arguments: Arguments, *, is_compared: bool) -> str:
    """Return the SQL that writes a row as a line of CSV without its end."""
    written = (_csv_value(each, arguments) for each in fields(is_compared=is_compared))
    comma = ", ',', "
    return f"concat({comma.join(written)})"


def csv_head(*, is_compared: bool) -> str:
    """Return the header line of CSV without its end; no name needs quotes."""
    return ",".join(each.column.name for each in fields(is_compared=is_compared))


def value(field: Field) -> str:
    """Return the SQL of a field's value, of the type that a report has for its kind."""
    match field.kind:
        case Kind.MONEY:
            return f"units_number({field.sql}::numeric)"
        case Kind.DAYS:
            return f"trim_scale({field.sql}::numeric)"
        case Kind.CLOCK:
            return f"{field.sql}::timestamp"
        case _:
            return field.sql


def _json_amount(field: Field, amounts: Amounts) -> str:
    form = f"as_{amounts.value}{'_or_null' if field.may_be_null else ''}"
    return sql.filled(getattr(_fragments, form), amount=field.sql)


def _csv_value(field: Field, arguments: Arguments) -> str:
    match field.kind:
        case Kind.TEXT:
            return f"csv_text({field.sql})"
        case Kind.MONEY:
            return f"units_number({field.sql})"
        case Kind.DAYS:
            return (
                f"trim_scale({field.sql}::numeric)" if field.sql.startswith("change") else field.sql
            )
        case Kind.CLOCK:
            return f"left({field.sql}::text, 19)"
        case Kind.DATE:
            return f"(SELECT {_day(field, arguments)}::text)"
        case _:
            return field.sql


def _day(field: Field, arguments: Arguments) -> str:
    if field.sql == "date_from":
        return f"greatest({arguments.start}, '0001-01-01')"
    return f"least({arguments.end}, '9999-12-31')"
