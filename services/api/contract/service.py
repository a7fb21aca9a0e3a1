from services.api.contract.page import handlers as docs
from services.api.http import ops
from services.api.openapi.operation import Answer, Handler, Operation, ref

_TAG = "Service"

OPERATIONS: dict[Handler, Operation] = {
    ops.live: Operation(
        ids=("isAlive",),
        tag=_TAG,
        summary="Does the process answer?",
        description="200 if the process answers; it checks no resource.",
        answers={200: Answer("It does.", ref("Alive"), examples={"alive": {"status": "ok"}})},
    ),
    ops.ready: Operation(
        ids=("isReady",),
        tag=_TAG,
        summary="Can the API work?",
        description="Checks every resource that the API needs.",
        answers={
            200: Answer(
                "It can.",
                ref("Readiness"),
                examples={"ready": {"status": "ok", "checks": {"postgres": "ok"}}},
            ),
            503: Answer(
                "The API cannot work; `checks` shows which resource is not available.",
                ref("Readiness"),
                examples={
                    "away": {
                        "status": "unavailable",
                        "checks": {"postgres": "no answer within 2 s"},
                    }
                },
            ),
        },
    ),
    ops.metrics: Operation(
        ids=("getMetrics",),
        tag=_TAG,
        summary="Metrics of the API",
        description="The metrics of all workers, in the format of Prometheus.",
        answers={200: Answer("The figures.", {"type": "string"}, "text/plain")},
    ),
    docs.document: Operation(
        ids=("getOpenapi",),
        tag=_TAG,
        summary="This document",
        description="OpenAPI 3.1; `/docs` shows it in a browser.",
        parameters=("if_none_match",),
        answers={
            200: Answer("The document.", {"type": "object"}, headers=("ETag",)),
            304: Answer("Not changed since the answer with this tag.", headers=("ETag",)),
        },
    ),
}
