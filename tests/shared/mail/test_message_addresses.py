from uuid import UUID

import pytest

from shared.mail.address import Unsendable, wire_form
from shared.mail.mailbox import Mailbox
from shared.mail.return_path import ReturnPaths


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "ann",
        "@b.org",
        "ann@",
        "a@b@c.org",
        "a b@c.org",
        "a@b.org\r\n",
        "a\n@b.org",
        "a@b.org\0",
        "a,b@c.org",
        "<a@b.org>",
        "Ann <a@b.org>",
        '"a b"@c.org',
        ".a@b.org",
        "a..b@c.org",
        "a@b..org",
        "a@-b.org",
        "a@[127.0.0.1]",
        "a@b.org, c@d.org",
        "a\u2028b@c.org",
        "a\x85b@c.org",
        "a@xn--\u20ac\u2260.org",
        "x" * 65 + "@b.org",
        "a@" + "b" * 64 + ".org",
        "a@" + ".".join(["b" * 60] * 5),
        "é" * 33 + "@b.org",
    ],
)
def test_a_recipient_that_is_not_one_plain_address_is_refused(recipient: str) -> None:
    with pytest.raises(Unsendable):
        wire_form(recipient)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("post@mail.example", ("", "post", "mail.example")),
        ("Ledger Post <post@Mail.example>", ("Ledger Post", "post", "Mail.example")),
        ('"Post, Ledger" <post@bücher.example>', ("Post, Ledger", "post", "xn--bcher-kva.example")),
    ],
)
def test_mail_from_is_read(text: str, parts: tuple[str, str, str]) -> None:
    mailbox = Mailbox.parse(text)
    assert (mailbox.name, mailbox.local, mailbox.domain) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "post",
        "a@b.org, c@d.org",
        "a@b.org\r\nX: y",
        "jörg@b.org",
        "x" * 65 + "@b.org",
        "<a@b@c>",
        "Post <post@b.org",
        "Post post@b.org>",
    ],
)
def test_a_bad_mail_from_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Mailbox.parse(text)


def test_without_a_secret_the_return_path_is_the_plain_address() -> None:
    longest = f"{'a' * 64}@x.example"
    sender = Mailbox.parse(f"Post <{longest}>")
    assert sender.return_path(UUID(int=7)) == str(sender) == longest


def test_with_a_secret_each_mail_has_its_own_and_no_repr_shows_the_secret() -> None:
    paths = ReturnPaths("a secret of more than thirty-two characters", "Back.example")
    sender = Mailbox.parse("Post <post@x.example>", paths=paths)
    addresses = [sender.return_path(UUID(int=number)) for number in (7, 8, 7)]
    assert addresses[0] == addresses[2] == paths.address(UUID(int=7))
    assert addresses[0] != addresses[1]
    assert addresses[0].endswith("@back.example")
    assert "secret" not in repr(sender) + repr(paths)
