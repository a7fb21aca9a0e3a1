import re
import subprocess

import pytest

from shared.mail.message import reply_to_address
from shared.statements.render import Renderer
from shared.statements.sentences import SHOWN
from tests.shared.statements.reading import page, pdf_text, tool, words
from tests.shared.statements.snapshots import frozen, many, row, snapshot

MARKUP = "<img src=x onerror=alert(1)>\"'&{{ 7*7 }}<!--% if 1 %-->"


def test_the_subject_names_both_sides_and_the_period(renderer: Renderer) -> None:
    assert (
        renderer.render(frozen(snapshot())).subject
        == "Statement from Kente & Co for Ɔfori & Daughters Fabrics: 1–30 November 2024"
    )


@pytest.mark.parametrize("name", ["Kente\r\nBcc: a@b.example", "x\0\x1by", "N" * 500, "\u202e", ""])
def test_the_subject_is_one_bounded_line_whatever_the_name(renderer: Renderer, name: str) -> None:
    rendered = renderer.render(frozen(snapshot(business__name=name)))
    assert re.fullmatch(r"[^\x00-\x1f\x7f\u202e]{20,150}", rendered.subject)
    assert rendered.subject.endswith(": 1–30 November 2024")
    assert rendered.copy_subject == f"Copy: {rendered.subject}"
    assert re.fullmatch(r"[a-z0-9.-]{1,100}", rendered.pdf_name)


def test_a_message_stands_above_the_statement_with_its_lines(renderer: Renderer) -> None:
    rendered = renderer.render(frozen(snapshot()), "Dear Ɛsi,\r\n\r\nthank you\nKofi")
    assert ">Dear Ɛsi,<br><br>thank you<br>Kofi</p>" in rendered.html
    assert rendered.html.index("thank you") < rendered.html.index("Summary")
    assert "\nDear Ɛsi,\n\nthank you\nKofi\n" in rendered.text
    assert rendered.text.index("thank you") < rendered.text.index("Summary")
    assert rendered.pdf == renderer.render(frozen(snapshot())).pdf


def test_no_message_leaves_no_trace_of_one(renderer: Renderer) -> None:
    for message in (None, "", " \r\n\u2028"):
        rendered = renderer.render(frozen(snapshot()), message)
        assert "message from" not in rendered.text
        assert not [tag for tag in page(rendered.html).tags if tag[1].get("class") == "message"]


def test_a_long_message_is_shown_whole(renderer: Renderer) -> None:
    message = "\n".join(f"{n:04} {'x' * 94}" for n in range(100))
    rendered = renderer.render(frozen(snapshot()), message)
    assert message in rendered.text
    assert rendered.html.count("x" * 94) == 100


def test_markup_from_outside_is_only_ever_shown(renderer: Renderer) -> None:
    texts = dict.fromkeys(
        ("business__name", "business__address", "customer__business_name"), MARKUP
    )
    rows = [row("2024-11-01", "invoice", MARKUP, "1", method=MARKUP, reference=MARKUP)]
    honest = renderer.render(frozen(snapshot(rows[:1])), "one line")
    rendered = renderer.render(frozen(snapshot(rows, **texts)), MARKUP)
    assert MARKUP in words(rendered.html)
    assert words(rendered.html).count(MARKUP) == 10
    allowed = {tag for tag, _ in page(honest.html).tags}
    shown = page(rendered.html).tags
    assert {tag for tag, _ in shown} == allowed - {"img"}
    assert not [name for _, attributes in shown for name in attributes if name.startswith("on")]


def test_a_name_cannot_turn_the_figures_around(renderer: Renderer) -> None:
    rendered = renderer.render(
        frozen(snapshot(customer__business_name="\u202eevil\u2067 & Co")), "\u202epay"
    )
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", rendered.text + rendered.html)


def test_a_busy_statement_shows_the_last_forty_and_says_so(renderer: Renderer) -> None:
    content = snapshot(many(60))
    rendered = renderer.render(frozen(content))
    forward = "6,191.50"
    rows = page(rendered.html).rows
    first = rows.index(["Transaction", "Amount", "Balance"])
    assert rows[first + 1] == ["Brought forward", "", forward]
    assert len([cells for cells in rows[first + 2 :] if len(cells) == 3]) == SHOWN + 1
    assert rendered.text.count("   Balance ") == SHOWN + 2
    assert re.search(rf"Brought forward\n +Balance +{forward}\n", rendered.text)
    for shown in (words(rendered.html), rendered.text):
        assert "The last 40 of 60 transactions; all of them are in the attached PDF." in shown
        assert "INV-00018" not in shown
        assert "INV-00020" in shown
    assert "INV-00018" in pdf_text(rendered.pdf)


def test_a_mail_without_a_pdf_does_not_speak_of_one() -> None:
    bare = Renderer(pdf=False)
    rendered = bare.render(frozen(snapshot(many(60))))
    assert rendered.pdf is None
    for shown in (words(rendered.html), rendered.text):
        assert "The last 40 of 60 transactions." in shown
        assert "PDF" not in shown
        assert "Questions?" in shown


def test_an_empty_statement_says_so_kindly(renderer: Renderer) -> None:
    rendered = renderer.render(frozen(snapshot([], opening="0")))
    said = "Nothing was billed or paid in this period, and nothing is owed."
    for shown in (words(rendered.html), rendered.text, pdf_text(rendered.pdf)):
        assert said in shown
        assert "nothing owed at the end of the period" in shown
    owed = renderer.render(frozen(snapshot([], opening="12.5")))
    for shown in (words(owed.html), owed.text):
        assert "so the balance is unchanged: GHS 12.50 owed." in " ".join(shown.split())
        assert re.search(r"Opening balance\s+12.50", shown)
        assert re.search(r"Closing balance\s+12.50", shown)


def test_figures_that_do_not_add_up_are_flagged_and_only_those(renderer: Renderer) -> None:
    broken = renderer.render(frozen(snapshot(closing_balance=5)))
    sound = renderer.render(frozen(snapshot()))
    for shown in (words(broken.html), broken.text, pdf_text(broken.pdf)):
        assert "do not add up to this balance" in shown
    for shown in (words(sound.html), sound.text, pdf_text(sound.pdf)):
        assert "add up" not in shown


def test_the_html_is_fit_for_mail_clients(renderer: Renderer) -> None:
    html = renderer.render(frozen(snapshot()), "Hello").html
    tags = page(html).tags
    assert tags[0] == ("html", {"lang": "en", "dir": "ltr"})
    bare = html.replace("https://schema.org", "")
    assert not re.search(r"https?://|url\(|@import|<img|<link", bare)
    assert re.findall(r"<script[^>]*?\s*>", html) == ['<script type="application/ld+json"\n>']
    (style, _) = re.findall(r"<style\s*>(.*?)</style\s*>", html, re.DOTALL)
    assert style.count("@media") == 2
    assert "prefers-color-scheme:dark" in style
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in tags
    # Cells that have no style only hold a table, which has one.
    assert all(attributes.get("style") for tag, attributes in tags if tag in {"th", "p", "a"})
    assert all(attributes.get("scope") in {"row", "col"} for tag, attributes in tags if tag == "th")
    assert not re.search(r"\{[{%]|<!--%|%-->", html)
    assert html.isprintable() or "\n" in html


def test_what_differs_from_mail_to_mail_has_short_lines_of_its_own(renderer: Renderer) -> None:
    """All others are encoded once for all mails."""
    one, other = (
        renderer.render(frozen(snapshot(many(6), opening))).html.split("\n")
        for opening in ("3200", "4711.5")
    )
    differing = {line for line in one + other if line not in one or line not in other}
    assert len(differing) > 10
    told = {line for line in differing if line.startswith(("aria-label=", '>{"@context"'))}
    assert len(told) == 2
    assert max(map(len, differing - told)) < 150


@pytest.mark.parametrize(
    "email",
    ["office@kente.example ", "\u00a0office@kente.example", "office@kente.example, b@x.example"],
)
def test_replies_are_invited_where_they_arrive(email: str) -> None:
    made = Renderer(pdf=False, reply_to=reply_to_address).render(
        frozen(snapshot(business__email=email))
    )
    assert made.reply_to == "office@kente.example"
    assert "Questions? Just reply to this e-mail." in made.text
    assert "Questions? Just reply to this e-mail." in words(made.html)


@pytest.mark.parametrize(
    "email",
    [None, "", " ", "Kente Office <a@b.example>", "büro@b.example"],
)
def test_replies_are_not_invited_where_they_would_not_arrive(email: str | None) -> None:
    made = Renderer(pdf=False, reply_to=reply_to_address).render(
        frozen(snapshot(business__email=email))
    )
    assert made.reply_to is None
    for said in (" ".join(made.text.split()), words(made.html)):
        assert "Ask Kente & Co directly; replies to this e-mail do not arrive there." in said
        assert "eply to this e-mail." not in said


def test_what_is_dated_ahead_is_called_so(renderer: Renderer) -> None:
    ahead = renderer.render(frozen(snapshot(to="2027-12-31")))
    past = renderer.render(frozen(snapshot()))
    for said in (words(ahead.html), " ".join(ahead.text.split()), joined(ahead.pdf)):
        assert "Balance expected on 31 December 2027" in said
        assert "owed at the end of the period, as entered by 22 November 2026" in said
    for said in (words(past.html), " ".join(past.text.split()), joined(past.pdf)):
        assert "Balance on 30 November 2024" in said
        assert "expected" not in said
        assert "Your whole account, as entered by 22 November 2026" in said
        for untrue in ("so far", "as of", "were made"):
            assert untrue not in said


def joined(pdf: bytes | None) -> str:
    """The words of a PDF column by column, as a reader follows them."""
    assert pdf is not None
    run = subprocess.run([tool("pdftotext"), "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(run.stdout.decode().split())


def test_the_layout_of_a_message_is_kept(renderer: Renderer) -> None:
    made = renderer.render(frozen(snapshot()), "Pay to:\n  Bank:      Example Bank\n\tTabbed:\tyes")
    assert "\n  Bank:      Example Bank\n        Tabbed: yes\n" in made.text
    nbsp = "\u00a0"
    assert f"{nbsp * 2}Bank:{nbsp * 5} Example Bank" in made.html
    assert f"{nbsp * 8}Tabbed: yes" in made.html


def test_each_detail_of_a_payment_has_a_direction_of_its_own(renderer: Renderer) -> None:
    rows = [row("2024-11-01", "payment", "1", "5", method="تحويل بنكي", reference="123/456")]
    made = renderer.render(frozen(snapshot(rows)))
    bare = re.sub(r"\s+>", ">", made.html)
    bare = re.sub(r"</?span[^>]*>|\n", "", bare)
    assert "· <bdi>تحويل بنكي</bdi> · 123/456" in bare


def test_a_reference_is_read_from_left_to_right_in_every_language(renderer: Renderer) -> None:
    """Beside Arabic letters, the parts of 12-2024-11-30 would be shown in reverse."""
    html = renderer.render(frozen(snapshot(version=2, locale="ar"))).html
    shown = re.findall(r"<(\w+)[^>]*>\s*12-2024-11-30", html)
    assert shown
    assert set(shown) == {"bdi"}
