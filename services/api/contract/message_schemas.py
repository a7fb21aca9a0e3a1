"""The JSON Schemas of all messages, made from their models."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from services.api.batches.messages import BatchEvent
from services.api.contract.schemas import Schemas, tidied
from services.api.intake.messages import (
    BatchAccepted,
    BatchRefused,
    BatchRequested,
    SendAccepted,
    SendRefused,
    SendRequested,
)
from services.api.schedules.messages import ScheduleEvent
from shared.messages import DeliveryEvent, SendTransactions

# An identifier, not an address.
_IDS = "https://ledgerpost.example/schemas"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Schema:
    """One kind of message: name, version, model, and the mode of its schema."""

    name: str
    version: int
    model: type[BaseModel]
    mode: JsonSchemaMode = "serialization"

    @property
    def id(self) -> str:
        """The schema's permanent name; a change that would break readers gets a new version."""
        return f"{_IDS}/{self.name}/v{self.version}"

    @property
    def file(self) -> str:
        """The name of the schema's file in docs/schemas."""
        return f"{self.name}.v{self.version}.json"


SCHEMAS = (
    Schema("send-request", 1, SendRequested, "validation"),
    Schema("send-request.accepted", 1, SendAccepted),
    Schema("send-request.refused", 1, SendRefused),
    Schema("batch-request", 1, BatchRequested, "validation"),
    Schema("batch-request.accepted", 1, BatchAccepted),
    Schema("batch-request.refused", 1, BatchRefused),
    Schema("delivery", 1, DeliveryEvent),
    Schema("batch", 1, BatchEvent),
    Schema("schedule", 1, ScheduleEvent),
    Schema("send-transactions", 1, SendTransactions),
)


def components() -> dict[str, Any]:
    """Return every schema by the name of its model; schemas refer to one another."""
    _, made = models_json_schema(
        [(each.model, each.mode) for each in SCHEMAS],
        ref_template="#/components/schemas/{model}",
        schema_generator=Schemas,
    )
    found = {name: tidied(each) for name, each in made["$defs"].items()}
    for each in SCHEMAS:
        _emitted(found[each.model.__name__], each)
    for name, schema in found.items():
        _titled(name, schema)
    return dict(sorted(found.items()))


def documents() -> dict[str, dict[str, Any]]:
    """Return the schema of each message as a separate document, by the name of its file."""
    found: dict[str, dict[str, Any]] = {}
    for each in SCHEMAS:
        schema = tidied(each.model.model_json_schema(mode=each.mode, schema_generator=Schemas))
        _emitted(schema, each)
        found[each.file] = {"$schema": _DIALECT, "$id": each.id, **schema}
    return found


def _titled(name: str, schema: dict[str, Any]) -> None:
    """Give titles to enumerations, because generators make a type of each."""
    for field, described in schema.get("properties", {}).items():
        for each in (described, *described.get("anyOf", ())):
            if "enum" in each:
                each["title"] = name + field.title().replace("_", "")


def _emitted(schema: dict[str, Any], each: Schema) -> None:
    """Mark fields with a default as required, because we always write them."""
    if each.mode == "serialization":
        required = set(schema["required"])
        schema["required"] = [
            name
            for name, value in schema["properties"].items()
            if name in required or "default" in value
        ]
