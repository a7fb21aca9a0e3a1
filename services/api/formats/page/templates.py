"""The templates of the pages; every text in them is escaped."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from services.api.formats.page.assets import assets


@cache
def template(name: str) -> Template:
    """Return the template in the file of this name."""
    return _environment().get_template(name)


def coded(text: str) -> Markup:
    """Return a sentence as HTML, with the words between backticks as code."""
    parts = (escape(part) for part in text.split("`"))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part
        for place, part in enumerate(parts)
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("services.api.formats.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["coded"] = coded
    environment.globals["css"] = assets()["page.css"].url
    environment.globals["js"] = assets()["page.js"].url
    return environment
