"""Plain aiohttp and asyncpg: a handler that only commits the rows of a send."""

import json
import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import uvloop
from aiohttp import web

# Written by the benchmark: the product's own statement, so that the same rows are committed.
QUERIES = json.loads(Path(os.environ["PEER_QUERIES"]).read_text())
NAMES = QUERIES["names"].split()
POOL = web.AppKey("POOL", asyncpg.Pool)


async def send(request: web.Request) -> web.Response:
    customer, now = int(request.match_info["id"]), datetime.now(UTC)
    send_id, email = uuid.uuid4(), f"billing@customer{customer}.example"
    answer = json.dumps({"message": "Transactions sent", "id": str(send_id)})
    values = {
        "business": 1, "id": send_id, "customer": customer, "answer": answer, "skipped": "[]",
        "start": request.query["from"], "end": request.query["to"],
        "statement_kind": "activity", "copy_to_me": False, "created_at": now, "send_at": now,
        "expires_at": now + timedelta(days=3),
        "delivery_ids": [uuid.uuid4()], "emails": [email], "email_keys": [email],
        "daily_quota": 1_000_000_000,
    }  # fmt: skip
    async with request.app[POOL].acquire() as conn:
        await conn.execute(QUERIES["accept"], *map(values.get, NAMES))
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
