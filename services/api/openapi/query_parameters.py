from typing import Any

from pydantic import BaseModel

from services.api.openapi.operation import Parameter

# What pydantic calls these bounds if the value passes a validator of ours first.
_BOUNDS = {"ge": "minimum", "le": "maximum"}
_KEPT = ("default", "type", "format", "enum", "items", "maxItems", "maxLength", "pattern")


def of_model(model: type[BaseModel], **examples: Any) -> tuple[Parameter, ...]:
    """Return the query parameters that are the fields of `model`, with some of their values.

    Models that share a field by inheritance share its parameter.
    """
    document = model.model_json_schema()
    return tuple(
        Parameter(
            f"{_owner(model, name)}_{name}".lower(),
            "query",
            name,
            each["description"],
            _schema(each, document.get("$defs", {})),
            example=examples.get(name),
            is_checked=True,
        )
        for name, each in document["properties"].items()
    )


def _owner(model: type[BaseModel], field: str) -> str:
    """Return the name of the first class that declares the field."""
    return next(each.__name__ for each in reversed(model.__mro__) if _declares(each, field))


def _declares(model: type, field: str) -> bool:
    return field in getattr(model, "__annotations__", {}) and issubclass(model, BaseModel)


def _schema(field: dict[str, Any], defined: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field's values; an absent parameter takes the place of null."""
    whole = dict(field)
    for each in field.get("anyOf", [field]):
        if each.get("type") != "null":
            whole |= defined[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
    found = {name: whole[name] for name in _KEPT if name in whole}
    found |= {ours: whole[theirs] for theirs, ours in _BOUNDS.items() if theirs in whole}
    if "items" in found:
        found["items"] = _schema(found["items"], defined)
    if found.get("default") in (None, [], ""):
        found.pop("default", None)
    if isinstance(found.get("default"), bool):
        found["default"] = int(found["default"])
    return found
