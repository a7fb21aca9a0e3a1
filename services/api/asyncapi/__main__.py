"""Writes the document and the schemas: `python -m services.api.asyncapi docs`."""

import sys
from pathlib import Path

import orjson

from services.api.asyncapi.document import as_json
from services.api.asyncapi.schemas import documents

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "asyncapi.json").write_bytes(as_json())
    for name, schema in documents().items():
        text = orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (folder / "schemas" / name).write_bytes(text)
