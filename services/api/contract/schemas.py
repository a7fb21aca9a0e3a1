"""The document's schemas, made from the models that the API reads and writes."""

import re
from copy import deepcopy
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from services.api.core.paging import Page
from services.api.http.health import Alive, Readiness
from services.api.openapi.problem_responses import InputProblem, Problem
from services.api.reports.model import FilterBody
from services.api.reports.row import Row
from services.api.sends.request import RescheduleBody, ResendBody, ResolveBody, SendBody
from services.api.sends.view import Doubt, Send
from services.api.suppressions.model import Suppression, SuppressionBody
from services.api.suppressions.unsubscribe import UnsubscribeBody

_READ: tuple[type[BaseModel], ...] = (
    FilterBody,
    SendBody,
    RescheduleBody,
    ResendBody,
    ResolveBody,
    SuppressionBody,
    UnsubscribeBody,
)
_WRITTEN: tuple[type[BaseModel], ...] = (
    Row,
    Send,
    Page[Send],
    Page[Doubt],
    Page[Suppression],
    Problem,
    InputProblem,
    Alive,
    Readiness,
)
# The name of a body's schema as a form gets one of these endings. Both schemas are equal, but if
# two kinds of body share a schema, client generators make one function that sends both.
FORMS = {"application/x-www-form-urlencoded": "Form", "multipart/form-data": "Multipart"}
# A flag in a form, in which all values are text.
_FLAG = {"type": "string", "enum": ["", "0", "1", "true", "false"]}
# The names that pydantic generates, and ours.
_NAMES = {
    "Page_Send_": "SendPage",
    "Page_Doubt_": "DoubtPage",
    "Page_Suppression_": "SuppressionPage",
}
_WRAPPED = re.compile(r"(?<!\n)\n(?!\n)")


class Schemas(GenerateJsonSchema):
    """Generates schemas without titles that only repeat the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 -- pydantic's
        """Return False."""
        return False


def schemas() -> dict[str, Any]:
    """Return every schema by name; those of bodies also as forms."""
    asked: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((model, "validation") for model in _READ),
        *((model, "serialization") for model in _WRITTEN),
    ]
    _, made = models_json_schema(
        asked, ref_template="#/components/schemas/{model}", schema_generator=Schemas
    )
    found = {_NAMES.get(name, name): tidied(each) for name, each in made["$defs"].items()}
    for name in _NAMES.values():
        found[name]["title"] = name
    found["Status"] = found["Send"]["properties"]["status"].copy()
    for model in _READ:
        for suffix in FORMS.values():
            found[f"{model.__name__}{suffix}"] = _form(found[model.__name__], suffix)
    return dict(sorted(found.items()))


def tidied(value: Any) -> Any:
    """Return a schema without line breaks, generated names and empty defaults."""
    if isinstance(value, list):
        return [tidied(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: tidied(each) for name, each in value.items()}
    if isinstance(value.get("description"), str):
        kept["description"] = _WRAPPED.sub(" ", value["description"])
    if isinstance(value.get("$ref"), str):
        head, _, name = value["$ref"].rpartition("/")
        kept["$ref"] = f"{head}/{_NAMES.get(name, name)}"
    if "default" in value and value["default"] in (None, [], ()):
        del kept["default"]
    return kept


def _form(schema: dict[str, Any], suffix: str) -> dict[str, Any]:
    """Return the schema of a body as a form: every value is text, and null does not exist."""
    form = deepcopy(schema)
    form["properties"] = {name: _as_text(each) for name, each in form["properties"].items()}
    form["title"] = f"{schema['title']}{suffix}"
    return form


def _as_text(schema: dict[str, Any]) -> dict[str, Any]:
    text = dict(schema)
    if isinstance(text.get("type"), list):
        text["type"] = next(each for each in text["type"] if each != "null")
    if text.get("type") == "boolean":
        return text | _FLAG
    if "anyOf" in text:
        kept = [_as_text(each) for each in text["anyOf"] if each.get("type") != "null"]
        kept = [each for each in kept if each.get("type") != "integer"]
        text["anyOf"] = kept
        if len(kept) == 1:
            del text["anyOf"]
            text = {**kept[0], **text}
    return text
