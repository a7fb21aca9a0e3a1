from services.api.contract.page import handlers as docs
from services.api.http import ops
from services.api.openapi.operation import Answer, Handler, Operation, ref

_TAG = "Service"

OPERATIONS: dict[Handler, Operation] = {
    ops.live: Operation(
        ids=("isAlive",),
        tag=_TAG,
        summary="Does the process answer?",
        description="Asks for nothing but the process itself.",
        answers={200: Answer("It does.", ref("Alive"), examples={"alive": {"status": "ok"}})},
    ),
    ops.ready: Operation(
        ids=("isReady",),
        tag=_TAG,
        summary="Can the API work?",
        description="Asks every resource that the API needs.",
        answers={
            200: Answer(
                "It can.",
                ref("Readiness"),
                examples={"ready": {"status": "ok", "checks": {"postgres": "ok"}}},
            ),
            503: Answer(
                "It cannot, and this is what is away.",
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
        summary="What the API counts about itself",
        description="The figures of all workers, for Prometheus.",
        answers={200: Answer("The figures.", {"type": "string"}, "text/plain")},
    ),
    docs.document: Operation(
        ids=("getOpenapi",),
        tag=_TAG,
        summary="This document",
        description="OpenAPI 3.1; `/docs` shows it to a person.",
        parameters=("if_none_match",),
        answers={
            200: Answer("The document.", {"type": "object"}, headers=("ETag",)),
            304: Answer("It has not changed since the answer of this tag.", headers=("ETag",)),
        },
    ),
}
