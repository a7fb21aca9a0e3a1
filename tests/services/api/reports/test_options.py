from decimal import Decimal

import pytest

from services.api.core.query_string import parse_query
from services.api.core.refusals import InvalidInput
from services.api.openapi.query_parameters import of_model
from services.api.reports.basis import Basis
from services.api.reports.options import SORTS, Compare, ListOptions
from services.api.reports.sort import Sort


def read(*given: tuple[str, str]) -> ListOptions:
    return parse_query(ListOptions, given)


def faults(*given: tuple[str, str]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        read(*given)
    return {error.field: error.message for error in refused.value.errors}


def test_without_parameters_all_rows_are_wanted_by_balance() -> None:
    options = read()

    assert options.sort == Sort("balance", is_descending=True)
    assert not options.is_paged
    assert options.given() == {}


@pytest.mark.parametrize("field", SORTS)
def test_every_sort_has_two_directions(field: str) -> None:
    assert read(("sort", field)).sort == Sort(field)
    assert read(("sort", f"-{field}")).sort == Sort(field, is_descending=True)


def test_ids_and_categories_may_be_repeated_and_others_may_not() -> None:
    repeated = read(("id", "3"), ("id", "1"), ("id", "3"), ("category_id", "1"))

    assert repeated.given() == {"category_id": [1], "id": [1, 3]}
    assert faults(("sort", "id"), ("sort", "-id")) == {"sort": "should be given once"}


def test_options_are_read_from_text() -> None:
    options = read(
        ("archived", "0"),
        ("active", "1"),
        ("min_balance", "-0.5"),
        ("compare", "previous-year"),
        ("basis", "cash"),
        ("page", "7"),
    )

    assert options.given() == {"archived": 0, "active": 1, "min_balance": "-0.5"}
    assert read(("max_balance", "0")).given() == {"max_balance": "0"}
    assert options.min_balance == Decimal("-0.5")
    assert (options.compare, options.basis) == (Compare.PREVIOUS_YEAR, Basis.CASH)
    assert (options.page, options.rows) == (7, 100)


def test_all_faults_are_named_at_once() -> None:
    found = faults(
        ("sort", "-q"),
        ("category_id", "-1"),
        ("id", "9" * 20),
        ("archived", "yes"),
        ("active", ""),
        ("q", "x" * 201),
        ("min_balance", "1e3"),
        ("max_balance", "0.00001"),
        ("min_owing", "NaN"),
        ("per_page", "1001"),
        ("cursor", "!"),
        ("page", "0"),
        ("compare", "last"),
        ("basis", "CASH"),
        ("amounts", "float"),
        ("meta", "2"),
        ("bom", "true"),
    )

    assert set(found) == set(ListOptions.model_fields)


@pytest.mark.parametrize(
    "given",
    [
        (("id", "1"),) * 201,
        (("category_id", "1"),) * 201,
        (("q", "a\0b"),),
        (("q", "\ud800"),),
        (("min_balance", "9" * 15),),
        (("per_page", "9" * 5000),),
        (("page", "٣"),),
        (("cursor", "a" * 5000),),
    ],
)
def test_values_are_bounded(given: tuple[tuple[str, str], ...]) -> None:
    assert set(faults(*given)) == {given[0][0]}


def test_options_that_contradict_each_other_are_refused() -> None:
    cursor = "A" * 16
    assert faults(("page", "1"), ("cursor", cursor)) == {
        "page": "should not be given beside cursor"
    }
    assert faults(("min_balance", "2"), ("max_balance", "1")) == {
        "max_balance": "should be at least min_balance"
    }


def test_the_document_describes_every_option() -> None:
    described = {each.name: each.schema for each in of_model(ListOptions)}

    assert set(described) == set(ListOptions.model_fields)
    assert described["sort"]["default"] == "-balance"
    assert described["per_page"] == {"type": "integer", "minimum": 1, "maximum": 1000}
    assert described["basis"] == {
        "default": "accrual",
        "type": "string",
        "enum": ["accrual", "cash"],
    }
    assert described["id"]["items"]["maximum"] == 2**63 - 1
