"""Writes the document to a file: `python -m services.api.openapi docs/openapi.json`."""

import sys
from pathlib import Path

from services.api.openapi.document import as_json

if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(as_json())
