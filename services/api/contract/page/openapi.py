from services.api.openapi.headers import ETAG
from services.api.openapi.operation import Answer, Operation
from services.api.openapi.parameters import IF_NONE_MATCH

DOCUMENT = Operation(
    id="getOpenapi",
    tag="Service",
    summary="This document",
    description="OpenAPI 3.1; `/docs` shows it in a browser.",
    parameters=(IF_NONE_MATCH,),
    answers={
        200: Answer("The document.", schema={"type": "object"}, headers=(ETAG,)),
        304: Answer("Not changed since the answer with this tag.", headers=(ETAG,)),
    },
)
