"""The OpenAPI document, assembled from the routes, their operations and the models."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from itertools import chain
from typing import Any

import orjson

from services.api.contract.about import DESCRIPTION, SCOPE_MEANINGS, TAGS
from services.api.contract.schemas import FORMS, schemas
from services.api.core.refusals import NO_SCOPE, SCOPES
from services.api.http.route import Route
from services.api.openapi import headers, parameters, problem_responses
from services.api.openapi.operation import (
    JSON,
    Answer,
    Body,
    Header,
    Operation,
    Parameter,
    named,
    ref,
)

_TEMPLATE = re.compile(r"\{(\w+)(?::[^{}]*)?\}")
_KEY = "apiKey"
_TEXTS = frozenset({"application/x-ndjson", "text/csv", "text/html", "text/plain"})
_BINARY = {"type": "string", "format": "binary"}


@cache
def as_json(routes: tuple[Route, ...]) -> bytes:
    """Return the document of these routes as it is served and committed."""
    return orjson.dumps(document(routes), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the document of these routes; one without an operation is left out."""
    calls = [(route, route.described) for route in routes if route.described is not None]
    operations = [operation for _, operation in calls]
    with_alias = {operation.id for route, operation in calls if route.alias}
    paths: dict[str, Any] = {}
    for route, operation in calls:
        path = _TEMPLATE.sub(r"{\1}", route.path)
        described = _described(route, operation, has_alias=operation.id in with_alias)
        paths.setdefault(path, {})[route.method.lower()] = described
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
            "schemas": schemas(operations),
            "parameters": _parameters(operations),
            "headers": _headers(operations),
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


def _parameters(operations: Iterable[Operation]) -> dict[str, Any]:
    used = chain(parameters.EVERYWHERE, *(each.parameters for each in operations))
    return {each.component: _parameter(each) for each in sorted(used, key=lambda p: p.component)}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = parameter.schema
    if parameter.values_of is not None:
        schema = named(parameter.values_of[1].title())
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.is_required,
        "description": parameter.description,
        "schema": schema,
        **({} if parameter.example is None else {"example": parameter.example}),
    }


def _headers(operations: Iterable[Operation]) -> dict[str, Any]:
    answers = chain.from_iterable(each.answers.values() for each in operations)
    used: Iterable[Header] = chain(
        headers.EVERYWHERE,
        headers.WITH_KEY,
        *headers.OF_STATUS.values(),
        *(each.headers for each in answers),
    )
    return {
        each.name: {
            "description": each.description,
            "schema": each.schema,
            "example": each.example,
        }
        for each in sorted(used, key=lambda header: header.name)
    }


def _described(route: Route, operation: Operation, *, has_alias: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": route.alias or operation.id,
        "tags": [operation.tag],
        "summary": f"{operation.summary}{' (alias)' if route.alias else ''}",
        "description": _description(route, operation, has_alias=has_alias),
        "security": _security(route),
        "parameters": parameters.of(*operation.parameters, *parameters.EVERYWHERE),
    }
    if route.alias:
        described["x-alias-of"] = operation.id
    if operation.body is not None:
        described["requestBody"] = _body(operation.body)
    elif operation.upload:
        content = {media: _file(operation.upload_example) for media in operation.upload}
        described["requestBody"] = {"required": True, "content": content}
    answers = {str(status): _answer(each, route) for status, each in operation.answers.items()}
    refusals = problem_responses.of(*_refusals(route, operation))
    described["responses"] = dict(sorted({**refusals, **answers}.items()))
    return described


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.scope is None:
        return []
    return [{_KEY: [] if route.scope == NO_SCOPE else [route.scope]}]


def _description(route: Route, operation: Operation, *, has_alias: bool) -> str:
    if route.alias:
        return f"An alias of `{operation.id}`, which does the same. {operation.description}"
    if has_alias:
        return f"The preferred path of this act; the others are aliases. {operation.description}"
    return operation.description


def _refusals(route: Route, operation: Operation) -> set[int]:
    found = {405, *operation.refusals}
    if route.scope is not None:
        found |= {401, 406, 422, 429, 503}
    if route.scope not in (None, NO_SCOPE):
        found.add(403)
    if operation.body is not None or operation.upload:
        found |= {400, 413, 415, 422}
    if any(each.is_checked for each in operation.parameters):
        found.add(422)
    return found


def _body(body: Body) -> dict[str, Any]:
    examples = {
        name: {"summary": name, "value": example} for name, example in body.examples.items()
    }
    content: dict[str, Any] = {JSON: {"schema": ref(body.model), "examples": examples}}
    for media, suffix in FORMS.items() if body.has_forms else ():
        content[media] = {"schema": named(f"{body.model.__name__}{suffix}")}
    return {"required": body.is_required, "content": content}


def _file(example: str) -> dict[str, Any]:
    return {"schema": _BINARY | {"minLength": 1}} | ({"example": example} if example else {})


def _answer(answer: Answer, route: Route) -> dict[str, Any]:
    with_key = headers.WITH_KEY if route.scope else ()
    described: dict[str, Any] = {
        "description": answer.description,
        "headers": headers.of(*headers.EVERYWHERE, *with_key, *answer.headers),
    }
    schema = _schema(answer)
    if schema is not None:
        content: dict[str, Any] = {"schema": schema}
        if answer.examples:
            content["examples"] = {
                name: {"summary": name, "value": value} for name, value in answer.examples.items()
            }
        described["content"] = {answer.media: content, **_files(answer)}
    if answer.links:
        described["links"] = answer.links
    return described


def _files(answer: Answer) -> dict[str, Any]:
    """Return the content of the answer's further media types: texts, and files in binary."""
    return {
        media: {"schema": {"type": "string"} if media in _TEXTS else _BINARY}
        for media in answer.files
    }


def _schema(answer: Answer) -> dict[str, Any] | None:
    if answer.model is None:
        return answer.schema
    return {"type": "array", "items": ref(answer.model)} if answer.is_list else ref(answer.model)
