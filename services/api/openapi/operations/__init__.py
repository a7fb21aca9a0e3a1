"""Every call of the API as its document tells it, by handler."""

from services.api.openapi.operation import Handler, Operation
from services.api.openapi.operations import deliveries, reports, sends, service, suppressions

OPERATIONS: dict[Handler, Operation] = {
    **reports.OPERATIONS,
    **sends.OPERATIONS,
    **deliveries.OPERATIONS,
    **suppressions.OPERATIONS,
    **service.OPERATIONS,
}
