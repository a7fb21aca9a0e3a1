"""The calls about how a business's statements look."""

from aiohttp import hdrs, web

from services.api.branding import store
from services.api.branding.logo import process
from services.api.branding.model import BrandingBody, BusinessBranding
from services.api.core.parsing import parse
from services.api.core.refusals import Invalid, Malformed
from services.api.http import request_body
from services.api.http.appkeys import FILES, PRINCIPAL
from services.api.http.connections import connection
from services.api.http.streams.stream import turn

PNG = "image/png"
#: The types under which a logo may be sent; its content alone decides what it is.
UPLOADED = (PNG, "image/jpeg", "application/octet-stream")
_FORM = "application/x-www-form-urlencoded"


async def show(request: web.Request) -> web.Response:
    """Answer with the branding."""
    async with connection(request) as conn:
        return _answer(await store.branding(conn, request[PRINCIPAL].business_id))


async def replace(request: web.Request) -> web.Response:
    """Replace the branding, apart from the logo."""
    # It would clear every field, which an empty form says on purpose.
    if not request.body_exists and request.content_type != _FORM:
        raise Malformed("The body is missing: it should have the fields of the branding.")
    body = parse(BrandingBody, await request_body.fields(request))
    async with connection(request) as conn:
        return _answer(await store.replace(conn, request[PRINCIPAL].business_id, body))


async def show_logo(request: web.Request) -> web.Response:
    """Answer with the logo as mails show it."""
    async with connection(request) as conn:
        logo = await store.logo(conn, request[PRINCIPAL].business_id)
    return web.Response(body=logo.png, content_type=PNG)


async def replace_logo(request: web.Request) -> web.Response:
    """Replace the logo by the picture in the body."""
    data = await request_body.octets(request, UPLOADED)
    async with turn(request, FILES):
        try:
            picture = await process.picture(data)
        except ValueError as error:
            raise Invalid("body", str(error)) from None
    async with connection(request) as conn:
        return _answer(await store.use_logo(conn, request[PRINCIPAL].business_id, picture))


async def drop_logo(request: web.Request) -> web.Response:
    """Remove the logo."""
    async with connection(request) as conn:
        await store.drop_logo(conn, request[PRINCIPAL].business_id)
    return web.Response(status=204)


def _answer(branding: BusinessBranding) -> web.Response:
    return web.Response(
        text=branding.model_dump_json(),
        content_type="application/json",
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )
