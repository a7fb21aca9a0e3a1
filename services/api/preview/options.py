from typing import Annotated

from pydantic import WithJsonSchema

from services.api.core.query_string import QueryString
from services.api.sends.request import Locale, StatementKind
from shared import language_tag


class PreviewOptions(QueryString):
    """The query parameters of a preview."""

    statement_kind: StatementKind = None
    locale: Annotated[
        Locale, WithJsonSchema({"type": "string", "pattern": f"^{language_tag.FORM}$"})
    ] = None
