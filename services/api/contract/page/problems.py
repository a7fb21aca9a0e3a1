"""The pages about the types of problems: HTML for a browser, JSON for programs."""

import re
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.api.contract.page.home import page_or_json
from services.api.core.problems import KINDS, Kind
from services.api.core.refusals import NotFound
from services.api.openapi import problem_responses

_TEMPLATE = Path(__file__).parent / "problem.html"
_PLACE = re.compile(r"\{(\w+)\}")
_CODE = re.compile("`([^`]*)`")
_KINDS = {kind.type.rpartition("/")[2]: kind for kind in KINDS.values()}
NAMES = tuple(sorted(_KINDS))


class ProblemType(BaseModel):
    """What all problems of one type have in common."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[str, Field(description="The path of this page, as in the problems.")]
    title: str
    status: Annotated[int, Field(ge=400, le=599, description="The HTTP status.")]
    meaning: Annotated[str, Field(description="What happened.")]
    advice: Annotated[str, Field(description="What the caller can do.")]


async def show(request: web.Request) -> web.Response:
    """Answer with the meaning of a type of problem, and what to do about it."""
    kind = _KINDS.get(request.match_info["type"])
    if kind is None:
        raise NotFound("type of problem")
    return page_or_json(request, partial(_page, kind), _told(kind).model_dump_json())


def _told(kind: Kind) -> ProblemType:
    return ProblemType(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        meaning=kind.meaning,
        advice=kind.advice,
    )


@cache
def _page(kind: Kind) -> str:
    example = orjson.dumps(problem_responses.example(kind), option=orjson.OPT_INDENT_2).decode()
    parts = {
        "title": escape(kind.title),
        "status": f"{kind.status.value} {kind.status.phrase}",
        "type": escape(kind.type),
        "meaning": _as_html(kind.meaning),
        "advice": _as_html(kind.advice),
        "example": escape(example),
    }
    return _PLACE.sub(lambda place: parts[place[1]], _TEMPLATE.read_text("utf-8"))


def _as_html(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
