"""Writes the OpenAPI and AsyncAPI documents, and the schemas of messages and of doctor's report.

`make contract` runs `python -m provision.documents docs`.
"""

import sys
from pathlib import Path

import orjson

from services.api.contract import asyncapi, openapi
from services.api.contract.message_schemas import documents
from services.api.routes import ROUTES
from shared.doctor import report

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "openapi.json").write_bytes(openapi.as_json(ROUTES))
    (folder / "asyncapi.json").write_bytes(asyncapi.as_json())
    schemas = {f"schemas/{name}": schema for name, schema in documents().items()}
    schemas["doctor.schema.json"] = report.schema()
    for name, schema in schemas.items():
        text = orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (folder / name).write_bytes(text)
