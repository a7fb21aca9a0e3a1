"""Gmail, Outlook and Apple Mail show the mail, by the data of caniemail.com."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from shared.statements.render import Renderer
from tests.servers import absent
from tests.shared.statements.snapshots import frozen, many, snapshot

FOLDER = Path(__file__).parent / "mail"
# What some of them do not support, and why the mail is whole without it.
LOSSES = {
    "<bdi> element": "its text stays; characters isolate names of the other direction, too",
    "<body> element": "the style of the table inside of it is the same",
    "<style> element": "styles are inlined; it has the layout of phones and of dark mode only",
    "@media": "see the style element: amounts stand side by side, colours stay",
    "aria-hidden attribute": "a screen reader names a square or a bar more",
    "aria-label attribute": "the figures of the chart are in the table of transactions, too",
    "border-radius": "corners are square",
    "color-scheme meta tag": "programs that do not know it choose the colours by themselves",
    "display:none": "the preview of the mail stands above it in small type",
    "max-height property": "see display:none; Outlook has mso-hide",
    "opacity": "see display:none",
    "overflow": "see display:none",
    "overflow-wrap": "word-break does the same",
    "role attribute": "a screen reader calls a table for layout a table",
    "target attribute": "a link opens as the program opens links",
    "white-space": "the attribute nowrap does the same for figures; a day may be broken",
    "word-break": "a very long word is cut at the margin of Windows Mail, which is no longer made",
}


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(pdf=False)


def unsupported(html: str) -> dict[str, list[str]]:
    """What each of the programs lacks of what a page uses."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules").is_dir():
        absent("caniemail is not installed: make node")
    done = subprocess.run(
        [node, "judge.mjs"], cwd=FOLDER, input=html.encode(), capture_output=True, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_mail_programs_lose_nothing_that_is_not_known(renderer: Renderer) -> None:
    branding = {"pay_link": "https://pay.example/{amount}", "how_to_pay": "https://bank.example"}
    losses = set()
    for locale in ("en", "ar"):
        content = snapshot(many(12), version=2, locale=locale, branding=branding)
        losses |= unsupported(renderer.render(frozen(content), "https://a.example").html).keys()
    assert losses == LOSSES.keys()


def test_the_judge_knows_what_mail_programs_lack() -> None:
    page = '<html><body><div style="display:grid;position:fixed">x</div></body></html>'
    assert "outlook.windows" in unsupported(page)["display:grid"]
