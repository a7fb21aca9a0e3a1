from typing import NamedTuple

from services.api.access import daily_counts
from services.api.branding.logo.picture import Picture
from services.api.branding.model import BrandingBody, BusinessBranding, Logo
from services.api.businesses import store as businesses
from services.api.core.refusals import NotFound
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.branding")
_SIDES = ("logo_sha256", "width", "height")


class StoredLogo(NamedTuple):
    """A logo's PNG, and its SHA-256 in hex."""

    sha256: str
    png: bytes


async def branding(conn: Connection, business_id: int) -> BusinessBranding:
    """Return the branding of a business: the default if it was never set."""
    row = await conn.fetchrow(_queries.branding, business_id)
    if row is None:
        return BusinessBranding()
    sha256, width, height = map(row.get, _SIDES)
    logo = Logo(sha256=sha256.hex(), width=width, height=height) if sha256 else None
    fields = {name: value for name, value in row.items() if name not in _SIDES}
    return BusinessBranding(**fields, logo=logo)


async def replace(conn: Connection, business_id: int, body: BrandingBody) -> BusinessBranding:
    """Write the branding of a business, whose logo stays, and return it.

    Raises NotFound if there is no such business.
    """
    async with conn.transaction():
        await businesses.business(conn, business_id)
        query = sql.call(_queries.replace, business=business_id, **body.model_dump())
        await conn.execute(*query)
        return await branding(conn, business_id)


async def use_logo(conn: Connection, business_id: int, picture: Picture) -> BusinessBranding:
    """Make the picture the logo of a business, and return its branding.

    Raises NotFound if there is no such business, and OverQuota if it has changed its logo too often
    today.
    """
    async with conn.transaction():
        await businesses.business(conn, business_id)
        sides = picture.width, picture.height
        if await conn.fetchval(
            _queries.keep_logo, business_id, picture.sha256, picture.png, *sides
        ):
            await daily_counts.count(conn, business_id, "logos")
        await conn.execute(_queries.use_logo, business_id, picture.sha256)
        return await branding(conn, business_id)


async def drop_logo(conn: Connection, business_id: int) -> None:
    """Take the logo away from a business, if it has one.

    Raises NotFound if there is no such business.
    """
    async with conn.transaction():
        await businesses.business(conn, business_id)
        await conn.execute(_queries.use_logo, business_id, None)


async def logo(conn: Connection, business_id: int) -> StoredLogo:
    """Return the logo of a business. Raises NotFound if it has none."""
    row = await conn.fetchrow(_queries.logo, business_id)
    if row is None:
        raise NotFound("logo")
    return StoredLogo(row["sha256"].hex(), row["png"])
