from uuid import UUID

from aiohttp import web

from services.api.core.refusals import NotFound


def path_id(request: web.Request, noun: str) -> UUID:
    """Return the `id` in the path, a UUID. Raises NotFound, about a `noun`, if it is none."""
    try:
        return UUID(request.match_info["id"])
    except ValueError:
        raise NotFound(noun) from None
