"""Plain aiohttp and asyncpg: the naive GROUP BY, and handlers that only run the product's queries."""

import json
import os
from datetime import date
from pathlib import Path

import asyncpg
import uvloop
from aiohttp import web

# Written by the benchmark: the product's queries by name, and the naive one.
QUERIES = json.loads(Path(os.environ["PEER_QUERIES"]).read_text())
POOL = web.AppKey("POOL", asyncpg.Pool)


async def business(request: web.Request, conn: asyncpg.Connection) -> int:
    key = bytes.fromhex(request.headers["Authorization"].removeprefix("Bearer "))
    row = await conn.fetchrow(QUERIES["principal"], key)
    if row is None:
        raise web.HTTPUnauthorized
    return int(row["business_id"])


def period(request: web.Request) -> tuple[date, date]:
    return tuple(date.fromisoformat(request.match_info[name]) for name in ("start", "end"))


async def naive_list(request: web.Request) -> web.Response:
    async with request.app[POOL].acquire() as conn:
        rows = await conn.fetch(
            QUERIES["naive"], await business(request, conn), *period(request), 0, 2**63 - 1
        )
    return web.json_response(text=f"[{','.join(row[0] for row in rows)}]")


async def one(request: web.Request) -> web.Response:
    async with request.app[POOL].acquire() as conn:
        row = await conn.fetchval(
            QUERIES["one"], await business(request, conn), *period(request),
            int(request.match_info["customer"]),
        )  # fmt: skip
    return web.Response(text=row, content_type="application/json")


async def not_modified(request: web.Request) -> web.Response:
    async with request.app[POOL].acquire() as conn:
        version = await conn.fetchval(QUERIES["version"], await business(request, conn))
    return web.Response(status=304, headers={"ETag": f'"{hash(version)}"'})


async def pool(app: web.Application):
    async with asyncpg.create_pool(
        os.environ["PEER_DSN"], server_settings={"jit": "off"}
    ) as opened:
        app[POOL] = opened
        yield


def main() -> None:
    uvloop.install()
    app = web.Application()
    app.cleanup_ctx.append(pool)
    app.router.add_get("/list/{start}/{end}", naive_list)
    app.router.add_get("/one/{customer}/{start}/{end}", one)
    app.router.add_get("/304/{start}/{end}", not_modified)
    web.run_app(
        app, host="127.0.0.1", port=int(os.environ["PEER_PORT"]), access_log=None, print=None
    )


if __name__ == "__main__":
    main()
