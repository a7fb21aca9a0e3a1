"""The style and the script of the pages, under names that change with their content."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from aiohttp import hdrs, web

from services.api.core.refusals import NotFound

_FOLDER = files("services.api.formats.page").joinpath("assets")
_TYPES = {"page.css": "text/css", "page.js": "text/javascript"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file that pages load; its name contains the hash of its content."""

    name: str
    content: bytes
    media: str

    @property
    def url(self) -> str:
        """The path at which it is served."""
        return f"/assets/{self.name}"


@cache
def assets() -> dict[str, Asset]:
    """Return the files of the pages by their names in the repository."""
    found = {}
    for name, media in _TYPES.items():
        content = _FOLDER.joinpath(name).read_bytes()
        stem, _, ending = name.partition(".")
        digest = hashlib.sha256(content).hexdigest()[:16]
        found[name] = Asset(f"{stem}-{digest}.{ending}", content, media)
    return found


async def show(request: web.Request) -> web.Response:
    """Answer with one of the files; a browser may keep it, as its name tells its content."""
    for each in assets().values():
        if each.name == request.match_info["asset"]:
            return web.Response(
                body=each.content,
                content_type=each.media,
                charset="utf-8",
                headers={hdrs.CACHE_CONTROL: _FOR_EVER},
            )
    raise NotFound("file")
