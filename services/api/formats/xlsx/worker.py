"""The work of a process that writes one workbook, whose parts come by standard input.

It is a process of its own so that the API answers others meanwhile, and so that its memory is given
back. The first line of input is the plan as JSON; each further line has some rows, and the last one
is null: without it, the workbook is not whole and is not saved. The answer is one word.
"""

import resource
import sys
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

import orjson

from services.api.formats.xlsx import workbook
from services.api.formats.xlsx.cells import FractionError
from services.api.formats.xlsx.plan import BROKEN, FRACTION, WRITTEN, Plan
from shared.rendering import confinement, seccomp

_MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024
_FILE_BYTES_MAX: Final = 4 * 1024 * 1024 * 1024


def write(path: str) -> None:
    """Write the workbook to the file at `path`, and the answer to standard output."""
    confinement.go_first()
    confinement.hide()
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES_MAX, _FILE_BYTES_MAX))
    seccomp.install()
    print(_written(path, sys.stdin.buffer))  # noqa: T201 -- the answer


def _written(path: str, lines: BinaryIO) -> str:
    plan = Plan(**orjson.loads(next(lines)))
    try:
        workbook.write(path, plan, _batches(lines))
    except FractionError:
        return FRACTION
    except EOFError:
        return BROKEN
    return WRITTEN


def _batches(lines: BinaryIO) -> Iterator[Sequence[Sequence[Any]]]:
    for line in lines:
        rows = orjson.loads(line)
        if rows is None:
            return
        yield rows
    raise EOFError
