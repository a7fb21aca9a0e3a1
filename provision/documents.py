"""Writes the OpenAPI and AsyncAPI documents and the messages' schemas into a folder.

`make contract` runs `python -m provision.documents docs`.
"""

import sys
from pathlib import Path

import orjson

from services.api.contract import asyncapi, openapi
from services.api.contract.message_schemas import documents
from services.api.routes import ROUTES

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "openapi.json").write_bytes(openapi.as_json(ROUTES))
    (folder / "asyncapi.json").write_bytes(asyncapi.as_json())
    for name, schema in documents().items():
        text = orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (folder / "schemas" / name).write_bytes(text)
