"""Descriptions of the import files: empty files to fill in, and a table of their columns."""

import re
from pathlib import Path

from services.api.ledger.faults import ImportRefused
from services.api.ledger.files import FILES, Column, LedgerFile


def write(directory: Path) -> list[Path]:
    """Write each ledger file with its header only, and return their paths.

    Raises ImportRefused and writes nothing if one of them exists already.
    """
    paths = {file: directory / file.name for file in FILES}
    taken = [f"{path}: exists already" for path in paths.values() if path.exists()]
    if taken:
        raise ImportRefused(taken)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for file, path in paths.items():
            path.write_text(",".join(column.name for column in file.columns) + "\n", "utf-8")
    except OSError as error:
        raise ImportRefused([f"{directory}: cannot be written: {error.strerror}"]) from None
    return list(paths.values())


def markdown() -> str:
    """Return the columns of all files, as in docs/import.md."""
    return "\n".join(map(_section, FILES))


def _section(file: LedgerFile) -> str:
    lines = [
        f"### {file.name}",
        "",
        "| column | required | form | example |",
        "|---|---|---|---|",
        *map(_row, file.columns),
        "",
    ]
    return "\n".join(lines)


def _row(column: Column) -> str:
    required = "yes" if column.required else "no"
    return f"| `{column.name}` | {required} | {_form(column)} | `{column.kind.example}` |"


def _form(column: Column) -> str:
    if column.default is None:
        return column.kind.form
    is_literal = re.fullmatch(r"[0-9]+|'[^']*'", column.default)
    missing = column.default.strip("'") if is_literal else "the time of the import"
    return f"{column.kind.form}; without one: {missing}"
