"""The mail as a letter of its business: logo, colour, language, what to pay and how."""

import re
from typing import Any

import pytest

from shared.statements.render import Rendered, Renderer
from shared.statements.sentences import SHOWN
from tests.shared.statements.branded import branded, logo
from tests.shared.statements.reading import page, words
from tests.shared.statements.snapshots import frozen, many, row, snapshot


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(pdf=False)


def mail(renderer: Renderer, content: dict[str, Any], **options: Any) -> Rendered:
    return renderer.render(frozen(content), options.pop("message", None), **options)


@pytest.mark.parametrize(
    ("size", "shown"),
    [((480, 160), ("216", "72")), ((600, 60), ("240", "24")), ((40, 40), ("40", "40"))],
)
def test_the_logo_heads_the_mail(
    renderer: Renderer, size: tuple[int, int], shown: tuple[str, str]
) -> None:
    html = mail(renderer, branded(), logo=logo(*size)).html
    [picture] = [attributes for tag, attributes in page(html).tags if tag == "img"]
    assert (picture["src"], picture["alt"]) == ("cid:logo", "Kente & Co")
    assert (picture["width"], picture["height"]) == shown
    assert "background-color:#ffffff" in (picture["style"] or "").replace(": ", ":")


def test_without_a_logo_the_name_stands_there_in_the_colour_of_the_business(
    renderer: Renderer,
) -> None:
    html = mail(renderer, branded()).html
    assert "<img" not in html
    assert re.search(
        r"<p [^>]*color:\s?#7a1fa2[^>]*><bdi\s*>Kente & Co</bdi", html.replace("&amp;", "&")
    )


def test_a_list_of_mails_shows_the_sentence_and_nothing_after_it(renderer: Renderer) -> None:
    said = words(mail(renderer, branded()).html)
    begin = (
        "GHS 5,116.50 owed at the end of the period."
        " Your account with Kente & Co, 1–30 November 2024."
    )
    assert said.startswith(begin)
    filler = re.match("[\u200c ]*", said[len(begin) :])
    assert filler is not None
    assert filler[0].count("\u200c") >= 40
    assert said[len(begin) + filler.end() :].startswith("Kente & Co Statement of account")


def test_what_to_pay_comes_before_what_happened(renderer: Renderer) -> None:
    made = mail(renderer, branded(report__deposit_amount=250), message="Dear Ɛsi")
    said = words(made.html)
    order = (
        *("Statement of account", "For Ɔfori & Daughters Fabrics", "Reference: 12-2024-11-30"),
        *("Balance on 30 November 2024", "Pay now", "Billed", "Paid", "Owing"),
        *(
            "A message from Kente & Co",
            "Dear Ɛsi",
            "Open amounts by age",
            "1–30 days late",
        ),
        *("Transactions", "Closing balance", "Open items", "Closing balance", "How to pay"),
        *("Bank: Example Bank", "Pay GHS 5,116.50", "Summary", "Billed in this period"),
        *("Your whole account", "deposits of GHS 250.00"),
        *("Questions?", "14 Oxford Street", "Prepared"),
    )
    place = 0
    for each in order:
        assert each in said[place:], each
        place = said.index(each, place)
    text = " ".join(made.text.split())
    for each in set(order) - {"Pay now"}:
        assert each in text, each


def test_the_buttons_lead_to_the_link_of_the_snapshot(renderer: Renderer) -> None:
    made = mail(renderer, branded())
    url = "https://pay.example/?a=5116.50&r=12-2024-11-30"
    links = [tag for name, tag in page(made.html).tags if name == "a"]
    assert [link["href"] for link in links] == [url, "https://bank.example/pay", url]
    assert made.text.count(url) == 2
    free = mail(renderer, snapshot([], "0", version=2, branding=branded()["branding"]))
    assert "pay.example" not in free.html + free.text
    assert "Example Bank" not in free.html + free.text


def test_the_bar_and_the_chart_are_drawn_by_their_shares(renderer: Renderer) -> None:
    html = mail(renderer, branded(items=2)).html
    cells = [tag for name, tag in page(html).tags if name == "td" and tag.get("bgcolor")]
    assert [(cell["bgcolor"], cell["width"]) for cell in cells] == [("#7a1fa2", "100%")]
    [chart] = [tag for _, tag in page(html).tags if tag.get("role") == "img"]
    assert "4 Nov: billed 866.75, paid 3,200.00." in (chart["aria-label"] or "")
    tags = [tag for _, tag in page(html).tags]
    rails = [
        (cell["class"], table["width"])
        for table, cell in zip(tags, tags[2:], strict=False)
        if "-bar" in (cell.get("class") or "")
    ]
    assert rails[:3] == [("billed-bar", "100%"), ("billed-bar", "7%"), ("paid-bar", "26%")]


def test_each_kind_lists_what_it_is_about(renderer: Renderer) -> None:
    activity = words(mail(renderer, branded(kind="activity", open_items=None)).html)
    assert "Transactions" in activity
    assert "Open items" not in activity
    items = words(mail(renderer, branded([], kind="open-items")).html)
    assert "Open items" in items
    assert "Transactions" not in items
    assert "14 days overdue" in items
    assert "14 days overdue" in mail(renderer, branded([], kind="open-items")).text


@pytest.mark.parametrize("locale", ["en", "fr", "de", "ar-EG"])
@pytest.mark.parametrize("wide", [False, True])
def test_forty_of_each_list_are_not_cut_by_gmail(
    renderer: Renderer, locale: str, *, wide: bool
) -> None:
    rows = many(60)
    if wide:
        rows += [row("2024-11-30", "invoice", "INV-" + "9" * 12, "123456789012.1234")]
    made = mail(renderer, branded(rows, items=60, locale=locale), message="Dear customer " * 60)
    # Gmail cuts a mail at 102 kB.
    assert len(made.html.encode()) < 100_000
    if locale == "en":
        said = words(made.html)
        assert f"The last {SHOWN} of {len(rows)} transactions." in said
        assert f"The first {SHOWN} of 60 open items." in said
        assert "INV-2024-0039" in said
        assert "INV-2024-0040" not in said


def test_a_page_from_right_to_left_is_mirrored_but_for_its_figures(renderer: Renderer) -> None:
    left, right = (mail(renderer, branded(locale=locale)).html for locale in ("en", "ar"))
    for html, direction, language in ((left, "ltr", "en"), (right, "rtl", "ar")):
        tags = page(html).tags
        assert ("html", {"lang": language, "dir": direction}) in tags
        assert ("div", {"lang": language, "dir": direction}) in tags
    assert not re.search("(START|END|TRACK|FIGURE|FILLER|ISOLATES|#01fe0)", left + right)
    assert "border-left:3px" not in right.replace(": ", ":")
    aligned = [tag.get("align") for name, tag in page(right).tags if name in {"td", "th"}]
    assert "left" not in aligned
    figures = [tag for name, tag in page(right).tags if name == "td" and "nowrap" in tag]
    assert len(figures) > 20
    assert {tag.get("dir") for tag in figures} == {"ltr", None}
    bodies = [tag for name, tag in page(right).tags if name == "tr" and "align" in tag]
    assert {tag["align"] for tag in bodies} == {"right"}


def test_dark_mode_has_the_lighter_colour_of_the_business(renderer: Renderer) -> None:
    html = mail(renderer, branded()).html
    dark = html.partition("prefers-color-scheme:dark")[2].partition("</style")[0]
    assert "#7a1fa2" not in dark
    assert re.search(r"\.press\{color:#12161a", dark)
