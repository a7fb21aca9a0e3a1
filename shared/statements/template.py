"""The templates of the mail, compiled: styles inlined, for a direction, with places for colours."""

import operator
import re
from pathlib import Path
from typing import Any, Final, Literal

import css_inline
import jinja2

from shared.statements.escaping import escaped
from shared.statements.filters import FILTERS

Direction = Literal["ltr", "rtl"]

_FOLDER: Final = Path(__file__).parent / "mail"
_AROUND: Final = re.compile(r" ?([{},;:]|!important) ?")
_BEFORE: Final = re.compile(r"(<[a-z][^<>]*)>(?=[^<>]*\{\{)")
_STYLES: Final = re.compile("<style.*?</style>", re.DOTALL)
_CLASS: Final = re.compile(r"\.([a-z][a-z0-9-]*)")
_CLASSES: Final = re.compile(r' class="([^"{]*)"')
_WITHIN: Final = re.compile(r' ((?!style=|class=)[a-z-]+="[^"]*\{\{[^"]*")')
_BETWEEN: Final = re.compile(r">\s*\n\s*<")
_AFTER: Final = re.compile(r"(\}\}[^<>]*</[a-z0-9]+)>")
# What mirrors a page. Few mail programs know `text-align: start`. Figures stay as they are, because
# their decimal points line up at the right.
_SIDES: Final[dict[str, dict[str, str]]] = {
    "ltr": {
        "START": "left",
        "END": "right",
        "TRACK": "5px 0 5px 12px",
        "FIGURE": "nowrap",
        "ISOLATES": "false",
    },
    "rtl": {
        "START": "right",
        "END": "left",
        "TRACK": "5px 12px 5px 0",
        # As narrow as its figures, which would else be far from the margin.
        "FIGURE": 'nowrap dir="ltr" width="1%"',
        "ISOLATES": "true",
    },
}
# Follows the preview of a mail in a list of mails, which would go on with the mail's first words.
_FILLER: Final = "&zwnj;&emsp;" * 40
# What differs from mail to mail in the style sheet, which must be CSS, by what stands for it there.
_VARIABLES: Final = {
    "#01fe01": "{{ accent }}",
    "#01fe02": "{{ accent_dark }}",
    "#01fe03": "{{ accent_tint }}",
    "#01fe04": "{{ part.colour }}",
    "3201px": "{{ tile }}",
    "FILLER": _FILLER,
}


def text_template(name: str) -> jinja2.Template:
    """Return a template of plain text."""
    return _environment().from_string(_source(name))


def html_template(name: str, direction: Direction) -> jinja2.Template:
    """Return a template of HTML.

    The style sheet is inlined into the template, not into each mail. Jinja's blocks are comments
    there, because an HTML parser moves any other text out of a table. Whatever a template shows
    goes through `escaped`: Jinja's own escaping takes three times as long.
    """
    source = _source(name)
    for side, physical in _SIDES[direction].items():
        source = source.replace(side, physical)
    inliner = css_inline.CSSInliner(
        keep_at_rules=True, minify_css=True, load_remote_stylesheets=False
    )
    inlined = inliner.inline(source)
    for placeholder, variable in _VARIABLES.items():
        inlined = inlined.replace(placeholder, variable)
    inlined = _shortened(_without_idle_classes(inlined))
    marked = _environment(finalize=escaped, block_start_string="<!--%", block_end_string="%-->")
    return marked.from_string(_apart(inlined))


def _without_idle_classes(page: str) -> str:
    """Return a page without the classes that were for the inliner only: rows have many of them."""
    kept = {name for style in _STYLES.findall(page) for name in _CLASS.findall(style)}

    def active(attribute: re.Match[str]) -> str:
        names = [name for name in attribute[1].split() if name in kept]
        return f' class="{" ".join(names)}"' if names else ""

    return _CLASSES.sub(active, page)


def _shortened(page: str) -> str:
    """Return a page without what a browser adds by itself: a mail has it in every row."""
    for name in ("<tbody>", "</tbody>", '=""'):
        page = page.replace(name, "")
    return _STYLES.sub(lambda style: _tight(style[0]), page)


def _tight(style: str) -> str:
    """Return a style sheet without blanks that mean nothing."""
    return _AROUND.sub(r"\1", " ".join(style.split())).replace(";}", "}")


def _apart(template: str) -> str:
    """Put the parts that differ from mail to mail on separate lines; the others are encoded once.

    The breaks are inside of tags, where they show nowhere; the lines of the source are joined.
    """
    lined = _WITHIN.sub(r"\n\1\n", _BETWEEN.sub("><", template))
    return _AFTER.sub(r"\1\n>", _BEFORE.sub(r"\1\n>", lined))


class _Environment(jinja2.Environment):
    """Finds `row.title` only among a view's keys; a template has hundreds of them."""

    getattr = staticmethod(operator.getitem)  # type: ignore[assignment]


def _environment(**options: Any) -> jinja2.Environment:
    made = _Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, **options
    )
    made.filters.update(FILTERS)
    made.globals.clear()  # no template needs them, and each rendering would copy them
    return made


def _source(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
