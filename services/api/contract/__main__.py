"""Writes both documents and the messages' schemas: `python -m services.api.contract docs`."""

import sys
from pathlib import Path

import orjson

from services.api.contract import asyncapi, openapi
from services.api.contract.message_schemas import documents

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "openapi.json").write_bytes(openapi.as_json())
    (folder / "asyncapi.json").write_bytes(asyncapi.as_json())
    for name, schema in documents().items():
        text = orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (folder / "schemas" / name).write_bytes(text)
