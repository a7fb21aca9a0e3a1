from typing import Any

from services.api.core.paging import Page
from services.api.customers.model import Customer, CustomersQuery
from services.api.openapi.operation import Answer, Operation, page
from services.api.openapi.query_parameters import of_model

_CUSTOMER: dict[str, Any] = {
    "id": 4,
    "first_name": "Ɛsi",
    "last_name": "Ɔfori",
    "business_name": "Ɛsi Ɔfori Enterprise, Ltd",
    "business_email": "esi@customers.example.com",
    "category": "Wholesale",
    "category_id": 12,
    "archived": 0,
    "locale": "fr",
}

SHOW_LIST = Operation(
    id="listCustomers",
    tag="Customers",
    summary="The customers of the business",
    description="By id, a page at a time, with a search in their names and addresses. Their figures"
    " are in the reports.",
    parameters=of_model(CustomersQuery),
    answers={200: Answer("A page.", Page[Customer], examples={"page": page(_CUSTOMER)})},
)
