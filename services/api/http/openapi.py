from services.api.http.health import Alive, Readiness
from services.api.openapi.operation import Answer, Operation

_TAG = "Service"

LIVE = Operation(
    id="isAlive",
    tag=_TAG,
    summary="Does the process answer?",
    description="200 if the process answers; it checks no resource.",
    answers={200: Answer("It does.", Alive, examples={"alive": {"status": "ok"}})},
)
READY = Operation(
    id="isReady",
    tag=_TAG,
    summary="Can the API work?",
    description="Checks every resource that the API needs.",
    answers={
        200: Answer(
            "It can.",
            Readiness,
            examples={"ready": {"status": "ok", "checks": {"postgres": "ok"}}},
        ),
        503: Answer(
            "The API cannot work; `checks` shows which resource is not available.",
            Readiness,
            examples={
                "away": {
                    "status": "unavailable",
                    "checks": {"postgres": "no answer within 2 s"},
                }
            },
        ),
    },
)
METRICS = Operation(
    id="getMetrics",
    tag=_TAG,
    summary="Metrics of the API",
    description="The metrics of all workers, in the format of Prometheus.",
    answers={200: Answer("The figures.", schema={"type": "string"}, media="text/plain")},
)
