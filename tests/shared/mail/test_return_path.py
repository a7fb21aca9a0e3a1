"""A return path names its delivery, and only whoever has the secret can make one."""

import os
from random import Random
from uuid import UUID, uuid4

import pytest

from shared.mail.return_path import ReturnPaths, unsigned_delivery

PATHS = ReturnPaths("a secret of the tests, long enough", "bounces.example")
SIGNS = "abcdefghijklmnopqrstuvwxyz234567"
NAMED = slice(len("bounce+"), len("bounce+") + 26)
# FORGED=1000000 tries as many as somebody may in a day.
FORGED = int(os.environ.get("FORGED", "20000"))


def test_a_return_path_is_read_in_any_case_and_at_its_domain_alone() -> None:
    delivery = uuid4()
    address = PATHS.address(delivery)
    local, _, domain = address.partition("@")
    assert len(local) <= 64
    assert PATHS.delivery(address.upper()) == PATHS.delivery(address) == delivery
    for other in (f"{local}@else.example", local, f"{local}x@{domain}", f"x{address}", f"{local}@"):
        assert PATHS.delivery(other) is None
    assert ReturnPaths("another secret of the tests, as long", domain).delivery(address) is None


def test_what_the_old_secret_signed_is_read_and_the_new_one_signs() -> None:
    delivery, new = uuid4(), "a newer secret of the tests, as long"
    changed = ReturnPaths(new, PATHS.domain, old="a secret of the tests, long enough")
    assert changed.delivery(PATHS.address(delivery).upper()) == delivery
    assert changed.address(delivery) == ReturnPaths(new, PATHS.domain).address(delivery)
    assert changed.delivery(changed.address(delivery)) == delivery
    for third in (ReturnPaths("a third secret of the tests, as long", PATHS.domain), PATHS):
        assert third.delivery(changed.address(delivery)) is None
    assert ReturnPaths(new, PATHS.domain).delivery(PATHS.address(delivery)) is None


def test_the_longest_domain_still_makes_an_address() -> None:
    assert len(ReturnPaths("s" * 32, "x" * 203).address(uuid4())) == 254
    with pytest.raises(ValueError, match="at most 203 characters"):
        ReturnPaths("s" * 32, "x" * 204)


def test_no_forged_path_is_accepted() -> None:
    rng = Random(15)
    genuine = PATHS.address(UUID(int=rng.getrandbits(128)))
    _, _, domain = genuine.partition("@")
    accepted = []
    for number in range(FORGED):
        if number % 2:
            # Another sign anywhere in the id or the signature of a genuine one.
            place = rng.randrange(NAMED.start, NAMED.stop + 16)
            place += place >= NAMED.stop  # the dot
            other = rng.choice(SIGNS.replace(genuine[place], ""))
            forged = f"{genuine[:place]}{other}{genuine[place + 1 :]}"
        else:
            named, signature = ("".join(rng.choices(SIGNS, k=size)) for size in (26, 16))
            forged = f"bounce+{named}.{signature}@{domain}"
        if PATHS.delivery(forged) is not None:
            accepted.append(forged)
    assert accepted == []


def test_an_id_is_written_in_one_way_only() -> None:
    """The last sign of an id has two bits that the id does not use."""
    genuine = PATHS.address(UUID(int=15))
    last = NAMED.stop - 1
    ways = {f"{genuine[:last]}{sign}{genuine[last + 1 :]}" for sign in SIGNS}
    assert {each for each in ways if PATHS.delivery(each)} == {genuine}


@pytest.mark.parametrize("sign", ["\u212a", "\u017f", "\udc80", "é", "\0", "8"])
def test_a_sign_that_is_no_base32_is_refused(sign: str) -> None:
    """`re` takes the first two for k and s if it ignores the case of all alphabets."""
    genuine = PATHS.address(UUID(int=15))
    for place in (NAMED.start, NAMED.stop + 1, len(genuine) - 1):
        assert PATHS.delivery(f"{genuine[:place]}{sign}{genuine[place + 1 :]}") is None


def test_the_former_form_is_read_in_any_case() -> None:
    delivery = uuid4()
    address = f"post+bounce-{delivery.hex}@ledgerpost.example"
    assert unsigned_delivery(address) == unsigned_delivery(address.upper()) == delivery
    assert unsigned_delivery(PATHS.address(delivery)) is None
    assert PATHS.delivery(address) is None
