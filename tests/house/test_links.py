"""Every link of the docs leads to a file that is there, and to a heading that is in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "bench/*.md", "docs/**/*.md", "services/**/*.md", "shared/**/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
# Sections of docs/operations.md from before it was split: others link to them from outside.
OLD_SECTIONS = {
    "processes", "roles-of-the-database", "rolling-restarts", "settings", "health",
    "the-smarthost", "return-paths", "postgres", "the-ledger", "keys",
    "rates-suppressions-and-quotas", "mails-in-doubt", "batches", "pause-and-resume",
    "rescheduling-and-resending", "after-a-restore-of-the-database", "queues-and-exchanges",
    "a-rabbitmq-cluster-of-three", "dead-letters", "retention", "erasing-a-customer",
}  # fmt: skip


def text_of(page: Path) -> str:
    """The text of a page without its blocks of code."""
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The names by which a link reaches a place in a page, as GitHub makes them of headings."""
    found, text = set(re.findall(r'<a id="([^"]+)">', page.read_text("utf-8"))), text_of(page)
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        repeated = sum(
            re.fullmatch(rf"{re.escape(name)}(-\d+)?", each) is not None for each in found
        )
        found.add(f"{name}-{repeated}" if repeated else name)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    missing = []
    for link in LINK.findall(text_of(page)):
        file, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = page.parent / file if file else page
        is_there = target.exists()
        if anchor and target.suffix == ".md":
            is_there = is_there and anchor in anchors(target)
        if not is_there:
            missing.append(link)
    assert missing == []


def test_old_links_to_sections_of_operations_still_lead_on() -> None:
    assert anchors(ROOT / "docs/operations.md") >= OLD_SECTIONS


def test_the_front_page_of_operations_names_each_page_of_an_operator() -> None:
    named = set(LINK.findall(text_of(ROOT / "docs/operations.md")))
    asked = {page.name for page in (ROOT / "docs").glob("*.md") if is_a_question(page)}
    assert asked <= {each.partition("#")[0] for each in named}
    assert len(asked) > 10


def is_a_question(page: Path) -> bool:
    return page.read_text("utf-8").partition("\n")[0].endswith("?")
