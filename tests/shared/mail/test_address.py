"""The mailer can send to every address that the API accepts, tested on generated addresses."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, example, given, seed, settings
from hypothesis import strategies as st

from shared.mail.address import Address, Unsendable, wire_form
from shared.mail.mailbox import Mailbox
from shared.mail.message import Message, Subject

LETTER = Message(
    Mailbox.parse("post@ledgerpost.example"),
    Subject(b"Subject: x\r\n", b"", frozenset()),
    b"",
    b"x\r\n",
)

SIGNS = st.characters(categories=["L", "M", "N", "P", "S"])
ATOMS = st.text(st.sampled_from("abcXYZ019!#$%&'*+/=?^_`{|}~-"), min_size=1, max_size=66) | st.text(
    SIGNS, min_size=1, max_size=20
)
LOCALS = st.lists(ATOMS, min_size=1, max_size=3).map(".".join)
QUOTED = st.text(SIGNS | st.just(" "), max_size=10).map(lambda text: f'"{text}"')
LABELS = (
    st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?", fullmatch=True)
    | st.text(st.characters(categories=["Ll", "Lo", "Mn", "Nd"]), min_size=1, max_size=12)
    | st.text(st.sampled_from("äöüßçñéøåıςбжيم日本ก"), min_size=1, max_size=20)
    | st.sampled_from(["xn--bcher-kva", "XN--BCHER-KVA", "\uff25\uff38", "straße", "faß"])
)
DOMAINS = st.tuples(
    st.lists(LABELS, min_size=1, max_size=6).map(".".join),
    st.sampled_from([".com", ".test", ".local", ".xn--p1ai", ".рф", "。jp", ""]),
).map("".join)
PLAIN = st.tuples(LOCALS, DOMAINS).map("@".join)
WRITTEN = PLAIN | st.tuples(QUOTED, DOMAINS).map("@".join) | st.text(max_size=300)

# Most generated texts are no address, and are skipped.
SKIPS_MANY = [HealthCheck.filter_too_much]


def taken(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None


@seed(11)
@settings(max_examples=300, deadline=None, suppress_health_check=SKIPS_MANY)
@given(WRITTEN)
@example("jörg@bücher.example")
@example("İstanbul@xn--bcher-kva.example")
@example(f"{'x' * 64}@{'.'.join(['y' * 47] * 3)}.{'z' * 41}.com")
def test_what_is_taken_can_be_sent(text: str) -> None:
    address = taken(text)
    assume(address is not None)
    assert address is not None
    local, domain = wire_form(address.email)
    assert address.key.rpartition("@")[2] == domain.lower()
    assert domain.isascii()
    envelope = LETTER.envelope(address.email, UUID(int=7))
    assert envelope.recipient == f"{local}@{domain}"
    assert envelope.problem() is None


@seed(11)
@settings(max_examples=300, deadline=None, suppress_health_check=SKIPS_MANY)
@given(PLAIN)
def test_an_address_is_normalized_once(text: str) -> None:
    address = taken(text)
    assume(address is not None)
    assert address is not None
    assert Address.parse(address.email) == address
    # As it is carried, it is still the same one.
    assert Address.parse("@".join(wire_form(address.email))).key == address.key


@pytest.mark.parametrize(
    ("text", "email", "key"),
    [
        (" Ann@X.example\t", "Ann@X.example", "ann@x.example"),
        ("jörg@BÜCHER.example", "jörg@bücher.example", "jörg@xn--bcher-kva.example"),
        ("\U0001f48c@x.example", "\U0001f48c@x.example", "\U0001f48c@x.example"),
        ("x@\uff25\uff38.рф", "x@ex.рф", "x@ex.xn--p1ai"),
        ("e\u0301@x.example", "é@x.example", "é@x.example"),
        ("#!$%&'*+/=?^_`{|}~-@x.example",) * 3,
    ],
)
def test_an_address_is_taken_as_it_is_written(text: str, email: str, key: str) -> None:
    assert Address.parse(text) == Address(email, key)


def test_a_stored_domain_is_mapped_before_it_is_encoded() -> None:
    assert wire_form("a@BÜCHER.example") == ("a", "xn--bcher-kva.example")


@pytest.mark.parametrize("address", ["a@x.local", "a@x.test", "a@x.localhost", "a@x.invalid"])
def test_names_that_the_internet_does_not_know_are_taken(address: str) -> None:
    assert Address.parse(address).email == address


@pytest.mark.parametrize("address", ["root@localhost", "a@my_host.example", "a@x.123"])
def test_what_is_stored_or_set_may_be_more_than_is_taken(address: str) -> None:
    assert taken(address) is None
    assert "@".join(wire_form(address)) == address


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("x" * 65 + "@b.org", "the address has more than 64 octets before the @-sign"),
        ("a@" + ".".join(["b" * 60] * 5), "the address has more than 254 octets"),
        ("a@xn--€≠.org", "the address has a domain that is not a name"),
        ("a b@c.org", "the address is malformed"),
    ],
)
def test_what_cannot_be_sent_says_why(address: str, reason: str) -> None:
    with pytest.raises(Unsendable) as refused:
        wire_form(address)
    assert str(refused.value) == reason
