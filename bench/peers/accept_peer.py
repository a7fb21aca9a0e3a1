"""Plain aiohttp and asyncpg: a handler that only commits the rows of a send."""

import json
import os
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import uvloop
from aiohttp import web

# Written by the benchmark: the product's own statement, so that the same rows are committed.
ACCEPT = json.loads(Path(os.environ["PEER_QUERIES"]).read_text())["accept"]
ARGUMENTS = max(map(int, re.findall(r"\$(\d+)", ACCEPT)))
POOL = web.AppKey("POOL", asyncpg.Pool)


async def send(request: web.Request) -> web.Response:
    customer, now = int(request.match_info["id"]), datetime.now(UTC)
    send_id, email = uuid.uuid4(), f"billing@customer{customer}.example"
    answer = json.dumps({"message": "Transactions sent", "id": str(send_id)})
    async with request.app[POOL].acquire() as conn:
        await conn.execute(
            ACCEPT, send_id, 1, customer, request.query["from"], request.query["to"], None,
            bool(request.query.get("copy_to_me")), "[]", now, now, None, b"", answer, now + timedelta(days=3), [uuid.uuid4()], [email],
            [email], None, None, 1_000_000_000, *[None] * (ARGUMENTS - 20),
        )  # fmt: skip
    return web.Response(status=202, text=answer, content_type="application/json")


async def pool(app: web.Application):
    async with asyncpg.create_pool(os.environ["PEER_DSN"]) as opened:
        app[POOL] = opened
        yield


def main() -> None:
    uvloop.install()
    app = web.Application()
    app.cleanup_ctx.append(pool)
    app.router.add_post("/api/v3/clients/{id}/transactions/send", send)
    web.run_app(
        app, host="127.0.0.1", port=int(os.environ["PEER_PORT"]), access_log=None, print=None
    )


if __name__ == "__main__":
    main()
