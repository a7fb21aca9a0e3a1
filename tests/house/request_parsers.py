"""Reads bodies and query strings of requests as the API does, with a text somewhere in them."""

import asyncio
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from json import dumps

from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request
from pydantic import BaseModel

from services.api.core import parsing
from services.api.core.paging import PageQuery
from services.api.core.query_string import QueryString, parse_query
from services.api.core.refusals import Refusal
from services.api.http import request_body

MULTIPART = "multipart/form-data; boundary=x"
PART = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n--x--\r\n'


def body_of(model: type[BaseModel]) -> Callable[[str], object]:
    """Sets each field of a body to the text, plain and in a list."""

    def read(given: str) -> None:
        for name, field in model.model_fields.items():
            for value in (given, [given]):
                body = dumps({field.alias or name: value}).encode()
                found = parsing.json_value(body)
                parsing.within_bounds(found)
                with suppress(Refusal):
                    parsing.parse(model, found)

    return read


def options_of(model: type[QueryString]) -> Callable[[str], object]:
    """Sets each parameter of a query string to the text."""

    def read(given: str) -> None:
        for name in model.model_fields:
            with suppress(Refusal):
                parse_query(model, [(name, given)])

    return read


def parameters() -> dict[str, Callable[[str], object]]:
    """Each parameter of each query string, and what sets it to a text."""
    found: dict[str, Callable[[str], object]] = {}
    for model in (*_below(QueryString), *_below(PageQuery)):
        for name, field in model.model_fields.items():
            found.setdefault(f"{name}: {field}", partial(_set, model, name))
    return found


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for below in model.__subclasses__():
        yield from (below, *_below(below))


def _set(model: type[BaseModel], name: str, given: str) -> None:
    if issubclass(model, QueryString):
        parse_query(model, [(name, given)])
    else:
        parsing.parse(model, {name: given})


def in_form(content_type: str, around: str) -> Callable[[str], object]:
    """Reads a form with the text in it, or of the text alone."""

    async def read(body: bytes) -> None:
        loop = asyncio.get_running_loop()
        stream = StreamReader(BaseProtocol(loop), len(body) + 1, loop=loop)
        stream.feed_data(body)
        stream.feed_eof()
        given = {"Content-Type": content_type, "Content-Length": str(len(body))}
        request = make_mocked_request(
            "POST", "/", given, payload=stream, client_max_size=len(body) + 1
        )
        await request_body.fields(request)

    def parser(given: str) -> None:
        with warnings.catch_warnings(action="ignore"):
            asyncio.run(read(around.replace("{}", given).encode(errors="replace")))

    return parser
