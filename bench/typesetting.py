"""`python -m bench.typesetting DSN`: the rate of typst alone, for the statements in the database."""

import asyncio
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import asyncpg

from shared.statements.attachment import AttachmentMaker
from shared.statements.model import Statement
from shared.statements.view import View, view

_THREADS = 2


async def main(dsn: str) -> float:
    """Return the rate of PDFs from statements that were read before."""
    conn = await asyncpg.connect(dsn)
    rows = await conn.fetch("SELECT content FROM statements ORDER BY sha256")
    await conn.close()
    statements = [Statement.parse(row["content"].encode()) for row in rows]
    work = [
        (view(statement), statement.generated_at, row["content"].encode())
        for statement, row in zip(statements, rows, strict=True)
    ]
    own = threading.local()

    def make() -> None:
        own.maker = AttachmentMaker()

    def print_one(view: View, moment: datetime, content: bytes) -> bytes:
        made: bytes = own.maker.attachment(view, moment, content=content).pdf
        return made

    warm = len(work) // 10
    with ThreadPoolExecutor(_THREADS, initializer=make) as threads:
        list(threads.map(print_one, *zip(*work[:warm], strict=True)))
        started = time.perf_counter()
        list(threads.map(print_one, *zip(*work[warm:], strict=True)))
        return (len(work) - warm) / (time.perf_counter() - started)


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1])))
