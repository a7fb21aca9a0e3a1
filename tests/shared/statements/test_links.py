"""Web addresses in a message are links, and nothing else is."""

import pytest

from shared.statements.links import pieces
from shared.statements.render import Renderer
from tests.shared.statements.reading import page, words
from tests.shared.statements.snapshots import frozen, snapshot


@pytest.mark.parametrize(
    ("line", "urls"),
    [
        ("see https://pay.example/i?a=1&b=2.", ["https://pay.example/i?a=1&b=2"]),
        (
            "(https://a.example/x_(y)) HTTP://B.example!",
            ["https://a.example/x_(y)", "HTTP://B.example"],
        ),
        ("https://a.example, https://b.example;", ["https://a.example", "https://b.example"]),
        ('"https://a.example/"><script>', ["https://a.example/"]),
        ("https://münchen.example/ä", ["https://münchen.example/ä"]),
        ("javascript:alert(1) data:text/html,x ftp://a.example mailto:a@b.example", []),
        ("xhttps://a.example https:// http://. ://", []),
        ("", []),
    ],
)
def test_addresses_are_found_without_punctuation_around_them(line: str, urls: list[str]) -> None:
    made = pieces(line)
    assert [piece.text for piece in made if piece.url] == urls
    assert "".join(piece.text for piece in made) == line


def test_a_long_address_takes_no_long_time() -> None:
    line = "https://a" + ")" * 100_000
    assert "".join(piece.text for piece in pieces(line)) == line


def test_a_link_shows_where_it_leads(renderer: Renderer) -> None:
    url = "https://pay.example/i?a=1&b=2"
    content = snapshot(version=2, branding={"how_to_pay": "Or at https://bank.example/"})
    made = renderer.render(frozen(content), f'Pay here: {url} or javascript:alert("1")')
    links = [tag for name, tag in page(made.html).tags if name == "a"]
    assert [link["href"] for link in links] == [url, "https://bank.example/"]
    assert all(link["rel"] == "noopener noreferrer nofollow" for link in links)
    assert f'Pay here: {url} or javascript:alert("1")' in words(made.html)
    assert f'Pay here: {url} or javascript:alert("1")' in made.text
