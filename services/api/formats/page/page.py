"""A report as a page for people: a table with its totals, and links behind every figure."""

from services.api.formats.page.navigation import Navigation
from services.api.formats.report import Report


async def html(report: Report, navigation: Navigation) -> str:
    """Return the page of `report`, whose rows should be few: a page of a list."""
    raise NotImplementedError
