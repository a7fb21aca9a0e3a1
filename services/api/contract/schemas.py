"""The document's schemas, made from the models that the API reads and writes."""

import re
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from services.api.openapi.operation import Model, Operation
from services.api.openapi.problem_responses import InputProblem, Problem

# The schema of a body `X` as a form of each kind has this ending. They are the same, but generators
# make one function of a schema that two kinds of body share, and send both.
FORMS = {"application/x-www-form-urlencoded": "Form", "multipart/form-data": "Multipart"}
# A flag in a form, in which all values are text.
_FLAG = {"type": "string", "enum": ["", "0", "1", "true", "false"]}
_WRAPPED = re.compile(r"(?<!\n)\n(?!\n)")


class Schemas(GenerateJsonSchema):
    """Generates schemas without titles that only repeat the names of fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 -- pydantic's
        """Return False."""
        return False


def schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return every schema of these operations by name; a body also as each kind of form writes it.

    The values of a parameter that are those of a model's field get a schema of their own.
    """
    operations = list(operations)
    read, written, fields = _models(operations)
    forms = {each.body.model: None for each in operations if each.body and each.body.has_forms}
    asked: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((model, "validation") for model in read),
        *((model, "serialization") for model in written),
    ]
    refs, made = models_json_schema(
        asked, ref_template="#/components/schemas/{model}", schema_generator=Schemas
    )
    # Pydantic names a generic model in a way of its own.
    names = {refs[each]["$ref"].rpartition("/")[2]: each[0].__name__ for each in asked}
    found = {names.get(name, name): tidied(each) for name, each in made["$defs"].items()}
    for model, field in fields:
        found[field.title()] = found[model.__name__]["properties"][field].copy()
    for model in forms:
        for suffix in FORMS.values():
            found[f"{model.__name__}{suffix}"] = _form(found[model.__name__], suffix)
    return dict(sorted(found.items()))


def _models(
    operations: Iterable[Operation],
) -> tuple[list[Model], list[Model], list[tuple[Model, str]]]:
    """Return the models that the operations read and write, and the fields that parameters name."""
    read: dict[Model, None] = {}
    written: dict[Model, None] = {Problem: None, InputProblem: None}
    fields: dict[tuple[Model, str], None] = {}
    for each in operations:
        if each.body is not None:
            read[each.body.model] = None
        written.update({a.model: None for a in each.answers.values() if a.model is not None})
        fields.update({p.values_of: None for p in each.parameters if p.values_of is not None})
    return list(read), list(written), list(fields)


def tidied(value: Any) -> Any:
    """Return a schema without broken lines and empty defaults."""
    if isinstance(value, list):
        return [tidied(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: tidied(each) for name, each in value.items()}
    if isinstance(value.get("description"), str):
        kept["description"] = _WRAPPED.sub(" ", value["description"])
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
        default = {"default": str(text["default"]).lower()} if "default" in text else {}
        return text | _FLAG | default
    if "anyOf" in text:
        kept = [_as_text(each) for each in text["anyOf"] if each.get("type") != "null"]
        kept = [each for each in kept if each.get("type") != "integer"]
        text["anyOf"] = kept
        if len(kept) == 1:
            del text["anyOf"]
            text = {**kept[0], **text}
    return text
