"""Answers with a report in the format that was chosen."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import BinaryIO

from aiohttp import hdrs, web

from services.api.core.refusals import Invalid
from services.api.formats import delimited
from services.api.formats.file_name import disposition
from services.api.formats.json_value import Amounts, dumps, fields_as_json, row_as_json
from services.api.formats.negotiation import Format
from services.api.formats.page.answers import page
from services.api.formats.page.navigation import Navigation
from services.api.formats.page.page import html
from services.api.formats.pdf.typesetting import Typesetting
from services.api.formats.report import Report
from services.api.formats.xlsx.process import workbook
from services.api.http import conditional, query
from services.api.http.appkeys import CODING
from services.api.http.making import made_while_wanted
from services.api.http.problem_json import NO_ANSWER, BrokenOff
from services.api.http.streams.stream import READING_S_MAX, Stream, gzip_if_preferred
from shared.csv_text import BOM

_STREAMED = frozenset({Format.JSON, Format.NDJSON, Format.CSV})
_BOM = "bom"

# Makes PDFs in processes of their own.
TYPESETTING = web.AppKey("TYPESETTING", Typesetting)


async def answer(
    request: web.Request,
    report: Report,
    chosen: Format,
    *,
    tags: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    navigation: Navigation | None = None,
    amounts: Amounts = Amounts.NUMBER,
) -> web.StreamResponse:
    """Answer with a report whose snapshot is open. HEAD reads no rows, except for a page.

    `tags` are the entity tags of the answer, uncompressed and with gzip; a page has none. A page
    and a PDF need a `navigation`, which says what they show. Raises InvalidInput if the format
    cannot hold so many rows.
    """
    given = {**(headers or {})}
    if chosen is not Format.JSON:
        given[hdrs.CONTENT_DISPOSITION] = disposition(report, chosen)
    if chosen is Format.HTML:
        response = page(await html(report, _given(navigation)))
        response.headers.update(given)
        return response
    if chosen in _STREAMED:
        return await _streamed(request, report, chosen, tags, given, amounts)
    if tags is not None:
        given |= conditional.headers(tags[0])
    return await _file(request, report, chosen, navigation, given)


def wants_bom(request: web.Request) -> bool:
    """Return whether CSV is to begin with a byte order mark. Raises Invalid."""
    asked = query.once(request, _BOM)
    if asked not in {"", "0", "1"}:
        raise Invalid(_BOM, "should be 0 or 1")
    return asked == "1"


async def _file(
    request: web.Request,
    report: Report,
    chosen: Format,
    navigation: Navigation | None,
    headers: Mapping[str, str],
) -> web.StreamResponse:
    if request.method == hdrs.METH_HEAD:
        # Its length is not known before the file is made.
        response = web.StreamResponse(headers=headers)
        response.content_type = chosen.media
        await response.prepare(request)
        return response

    async def make() -> bytes | BinaryIO:
        if chosen is Format.XLSX:
            return await workbook(report)
        return await request.app[TYPESETTING].pdf(report, _given(navigation))

    body = await made_while_wanted(request, make)
    if body is None:
        return BrokenOff(request, NO_ANSWER)
    return web.Response(body=body, headers=headers, content_type=chosen.media)


def _given(navigation: Navigation | None) -> Navigation:
    if navigation is None:
        raise ValueError("a page and a PDF need a navigation")
    return navigation


async def _streamed(
    request: web.Request,
    report: Report,
    chosen: Format,
    tags: tuple[str, str] | None,
    headers: Mapping[str, str],
    amounts: Amounts,
) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    if tags is not None:
        response.headers.update(conditional.headers(tags[request[CODING].gzip]))
    response.content_type, response.charset = chosen.media, "utf-8"
    gzip_if_preferred(request, response)
    pieces = _pieces(request, report, chosen, amounts)
    if request.method == hdrs.METH_HEAD:
        await response.prepare(request)
        return response
    stream = Stream(request, response)
    async with asyncio.timeout(READING_S_MAX):
        async for piece in pieces:
            await stream.write(piece)
    await stream.end()
    return response


def _pieces(
    request: web.Request, report: Report, chosen: Format, amounts: Amounts
) -> AsyncIterator[bytes]:
    if chosen is Format.CSV:
        return _csv(report, bom=wants_bom(request))
    return _ndjson(report, amounts) if chosen is Format.NDJSON else _json(report, amounts)


async def _csv(report: Report, *, bom: bool) -> AsyncIterator[bytes]:
    yield (BOM if bom else b"") + delimited.csv_header(report.columns)
    async for rows in report.rows():
        yield delimited.csv_lines(report.columns, rows)


async def _ndjson(report: Report, amounts: Amounts) -> AsyncIterator[bytes]:
    async for rows in report.rows():
        yield delimited.json_lines(report.columns, rows, amounts)


async def _json(report: Report, amounts: Amounts) -> AsyncIterator[bytes]:
    yield b'{"data":['
    separator = b"\n"
    async for rows in report.rows():
        objects = [dumps(row_as_json(report.columns, row, amounts)) for row in rows]
        if objects:
            yield separator + b"\n,".join(objects)
            separator = b"\n,"
    totals = dumps(fields_as_json(report.columns, report.totals, amounts))
    yield b'\n],"totals":' + totals + b',"meta":' + dumps(report.meta) + b"}"
