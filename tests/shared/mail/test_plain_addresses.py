"""Plain addresses are read without email-validator, and to the same result."""

from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from shared.mail import address
from shared.mail.address import Address

_SIGNS = "aZ09-_+.@"

_atoms = st.text("aZ09-_+", min_size=1, max_size=20)
_labels = st.text("aZ09-", min_size=1, max_size=20)
_addresses = st.builds(
    lambda local, domain: f"{'.'.join(local)}@{'.'.join(domain)}",
    st.lists(_atoms, min_size=1, max_size=3),
    st.lists(_labels, min_size=1, max_size=3),
)


def read_by_library(text: str) -> Address | None:
    try:
        found = validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return None
    return Address(email=text, key=f"{found.local_part.lower()}@{found.ascii_domain}")


@given(_addresses)
@example("billing@customer-1.example")
@example("A.b+c@D-e.Example")
@example(f"{'l' * 64}@{'d' * 63}.{'e' * 63}.example")
def test_what_is_plain_is_what_the_library_says(text: str) -> None:
    if address._PLAIN.fullmatch(text):
        assert Address.parse(text) == read_by_library(text)


@given(_addresses | st.text(_SIGNS, max_size=30))
@example("a@b.example1")
@example("a@b")
@example("a@xn--b.example")
@example("a@b.-c.example")
@example("a@b..example")
@example(".a@b.example")
@example("a..b@c.example")
@example("@b.example")
@example("a@b@c.example")
@example(f"{'l' * 65}@b.example")
@example(f"a@{'d' * 64}.example")
def test_what_the_library_refuses_is_not_plain(text: str) -> None:
    if read_by_library(text) is None:
        assert not address._PLAIN.fullmatch(text)
