"""The descriptions of all calls, by handler."""

from services.api.contract import service
from services.api.openapi.operation import Handler, Operation
from services.api.reports import openapi as reports
from services.api.sends import openapi as sends
from services.api.sends import openapi_in_doubt as in_doubt
from services.api.suppressions import openapi as suppressions

OPERATIONS: dict[Handler, Operation] = {
    **reports.OPERATIONS,
    **sends.OPERATIONS,
    **in_doubt.OPERATIONS,
    **suppressions.OPERATIONS,
    **service.OPERATIONS,
}
