from aiohttp import web

from services.api.core.refusals import Invalid


def once(request: web.Request, name: str) -> str:
    """Return the value of a query parameter, or "" if it is absent.

    Raises Invalid if it is given with different values.
    """
    values = set(request.query.getall(name, []))
    if len(values) > 1:
        raise Invalid(name, "should be given once")
    return values.pop() if values else ""


def given(request: web.Request, *names: str) -> dict[str, str]:
    """Return those of these query parameters that the request has.

    Raises Invalid if one of them is given with different values.
    """
    return {name: once(request, name) for name in names if name in request.query}
