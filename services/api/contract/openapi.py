"""The OpenAPI document, assembled from the routes, the models and the descriptions of calls."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from typing import Any

import orjson

from services.api.contract.about import DESCRIPTION, SCOPE_MEANINGS, TAGS
from services.api.contract.operations import OPERATIONS
from services.api.contract.page import handlers as docs
from services.api.contract.page import home
from services.api.contract.schemas import FORMS, schemas
from services.api.core.refusals import SCOPES
from services.api.openapi import headers, parameters, problem_responses
from services.api.openapi.operation import JSON, Answer, Body, Operation, ref
from services.api.routes import ROUTES, Route

# Pages and files for browsers.
UNDOCUMENTED = {home.show, home.icon, docs.page, docs.to_page, docs.asset}

_TEMPLATE = re.compile(r"\{(\w+)(?::[^{}]*)?\}")
_KEY = "apiKey"


def as_json() -> bytes:
    """Return the document as it is served and committed."""
    return _json()


@cache
def _json() -> bytes:
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def document() -> dict[str, Any]:
    """Return the document. Raises KeyError if a route has no description."""
    paths: dict[str, Any] = {}
    for route, operation, name in _calls():
        path = _TEMPLATE.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _described(route, operation, name)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ledgerpost",
            "version": version("ledgerpost"),
            "summary": "Income by customer, and the statement behind it, mailed once.",
            "description": DESCRIPTION,
            "contact": {"name": "Whoever runs Ledgerpost for you"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [
            {"url": "/", "description": "The server that this document comes from."},
            {"url": "http://127.0.0.1:8080", "description": "Where the API listens by default."},
        ],
        "security": [{_KEY: []}],
        "tags": TAGS,
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "parameters": parameters.PARAMETERS,
            "headers": headers.HEADERS,
            "responses": problem_responses.responses(),
            "securitySchemes": {
                _KEY: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "ledgerpost_…",
                    "description": "A key belongs to one business and has scopes:\n\n"
                    + "\n".join(f"- `{scope}`: {SCOPE_MEANINGS[scope]}" for scope in SCOPES),
                }
            },
        },
    }


def _calls() -> Iterator[tuple[Route, Operation, str]]:
    names = {handler: iter(operation.ids) for handler, operation in OPERATIONS.items()}
    for route in ROUTES:
        if route.handler not in UNDOCUMENTED:
            yield route, OPERATIONS[route.handler], next(names[route.handler])


def _described(route: Route, operation: Operation, name: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": name,
        "tags": [operation.tag],
        "summary": _summary(operation, name),
        "description": _description(operation, name),
        "security": [{_KEY: [route.scope]}] if route.scope else [],
        "parameters": parameters.of(*operation.parameters, *parameters.EVERYWHERE),
    }
    if operation.body is not None:
        described["requestBody"] = _body(operation.body)
    answers = {str(status): _answer(each, route) for status, each in operation.answers.items()}
    refusals = problem_responses.of(*_refusals(route, operation))
    described["responses"] = dict(sorted({**refusals, **answers}.items()))
    return described


def _summary(operation: Operation, name: str) -> str:
    return f"{operation.summary}{'' if _is_preferred(operation, name) else ' (alias)'}"


def _description(operation: Operation, name: str) -> str:
    if operation.preferred is None:
        return operation.description
    if _is_preferred(operation, name):
        return f"The preferred path of this act; the others are aliases. {operation.description}"
    return f"An alias of `{operation.preferred}`, which does the same. {operation.description}"


def _is_preferred(operation: Operation, name: str) -> bool:
    return operation.preferred in {None, name}


def _refusals(route: Route, operation: Operation) -> set[int]:
    found = {405, *operation.refusals}
    if route.scope is not None:
        found |= {401, 403, 406, 422, 429, 503}
    if operation.body is not None:
        found |= {400, 413, 415, 422}
    if not parameters.VALIDATED.isdisjoint(operation.parameters):
        found.add(422)
    return found


def _body(body: Body) -> dict[str, Any]:
    examples = {
        name: {"summary": name, "value": example} for name, example in body.examples.items()
    }
    content: dict[str, Any] = {JSON: {"schema": ref(body.model), "examples": examples}}
    for media, suffix in FORMS.items():
        content[media] = {"schema": ref(f"{body.model}{suffix}")}
    return {"required": body.required, "content": content}


def _answer(answer: Answer, route: Route) -> dict[str, Any]:
    names = (*headers.EVERYWHERE, *(headers.WITH_KEY if route.scope else ()), *answer.headers)
    described: dict[str, Any] = {
        "description": answer.description,
        "headers": headers.of(*names),
    }
    if answer.schema is not None:
        content: dict[str, Any] = {"schema": answer.schema}
        if answer.examples:
            content["examples"] = {
                name: {"summary": name, "value": value} for name, value in answer.examples.items()
            }
        described["content"] = {answer.media: content}
    if answer.links:
        described["links"] = answer.links
    return described
