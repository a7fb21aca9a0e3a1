from services.api.contract.page.problems import NAMES, ProblemType
from services.api.openapi.headers import ETAG
from services.api.openapi.operation import Answer, Operation, Parameter
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

_TYPE = Parameter(
    "problem_type",
    "path",
    "type",
    "The last part of the `type` of a problem.",
    {"type": "string", "enum": list(NAMES)},
    example="not-found",
    is_required=True,
)
SHOW_PROBLEM = Operation(
    id="getProblemType",
    tag="Service",
    summary="What a type of problem means, and what to do",
    description="The `type` of a problem is the path of this call. A browser gets a page.",
    parameters=(_TYPE,),
    answers={
        200: Answer(
            "The type.",
            ProblemType,
            examples={
                "not found": {
                    "type": "/problems/not-found",
                    "title": "Not found",
                    "status": 404,
                    "meaning": "Not found. Objects of other businesses are not found either.",
                    "advice": "Check the id.",
                }
            },
        )
    },
    refusals=(404,),
)
