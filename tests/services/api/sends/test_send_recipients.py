import sys

import asyncpg
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from services.api.core.refusals import InvalidInput
from services.api.sends.recipients import Candidates, Recipients, Suppressed
from services.api.sends.send import Skipped
from shared.deliveries.reasons import ReasonCode
from shared.mail.address import Address


def choose(
    customer: str | None = None,
    others: tuple[str, ...] = (),
    business: str | None = None,
    *,
    copy: bool = False,
    suppressed: dict[str, str] | None = None,
    limit: int = 25,
) -> Recipients:
    candidates = Candidates.gather(
        customer=customer,
        others=[Address.parse(each) for each in others],
        business=business,
        copy_to_me=copy,
    )
    why = {
        key: Suppressed(reason, ReasonCode.SUPPRESSED_BY_BUSINESS)
        for key, reason in (suppressed or {}).items()
    }
    return Recipients.choose(candidates, why, limit=limit)


def emails(recipients: Recipients) -> list[str]:
    return [address.email for address in recipients.addresses]


def test_the_customer_comes_first_then_the_others_then_the_copy() -> None:
    found = choose("c@x.com", ("b@x.com", "a@x.com"), "me@x.com", copy=True)
    assert emails(found) == ["c@x.com", "b@x.com", "a@x.com", "me@x.com"]
    assert found.skipped == ()


def test_a_copy_has_to_be_asked_for() -> None:
    assert emails(choose("c@x.com", (), "me@x.com")) == ["c@x.com"]


def test_each_address_receives_once_however_it_is_written() -> None:
    found = choose(
        " C@X.com", ("c@x.COM", "ɛsi@exämple.com", "ƐSI@XN--EXMPLE-CUA.com"), "c@x.com", copy=True
    )
    assert emails(found) == ["C@X.com", "ɛsi@exämple.com"]


def test_different_letters_stay_different_recipients() -> None:
    assert len(emails(choose(None, ("strasse@x.com", "straße@x.com")))) == 2


@pytest.mark.parametrize("nothing", [None, "", " \t"])
def test_a_customer_without_an_address_is_not_skipped(nothing: str | None) -> None:
    found = choose(nothing, ("a@x.com",))
    assert (emails(found), found.skipped) == (["a@x.com"], ())


@pytest.mark.parametrize(
    "stored", ["call me", "a@x.com b@x.com", "a@x.com\nBcc: b@x.com", "Ada <a@x.com>"]
)
def test_a_stored_malformed_address_is_skipped_with_its_reason(stored: str) -> None:
    (skipped,) = choose(stored, ("a@x.com",), stored, copy=True).skipped
    assert skipped.email == stored
    assert skipped.reason.startswith("malformed: ")
    assert skipped.reason_code == ReasonCode.RECIPIENT_MALFORMED


@pytest.mark.parametrize(
    "stored",
    [
        "a@x.com; b@x.com",
        "a@x.com,b@x.com;",
        " a@x.com ;\n b@x.com\u00a0",
        ",a@x.com,,B@x.com,b@x.com",
    ],
)
def test_a_stored_list_has_several_addresses(stored: str) -> None:
    found = choose(stored, ("c@x.com",), "me@x.com; A@x.com", copy=True)
    assert [address.key for address in found.addresses] == [
        *("a@x.com", "b@x.com", "c@x.com", "me@x.com")
    ]
    assert found.skipped == ()


@pytest.mark.parametrize("end", ["\u00a0", "\u200b", "\n", "\r\n", "\ufeff", " \u200b\n"])
def test_invisible_blanks_around_a_stored_address_are_left_out(end: str) -> None:
    assert emails(choose(f"{end}a@x.com{end}")) == ["a@x.com"]
    assert emails(choose(None, ("b@x.com",), end, copy=True)) == ["b@x.com"]


def test_of_a_stored_list_only_the_malformed_part_is_skipped() -> None:
    found = choose("a@x.com; call me")
    assert emails(found) == ["a@x.com"]
    assert [each.email for each in found.skipped] == ["call me"]


def test_a_stored_list_is_bounded() -> None:
    assert len(emails(choose(";".join(f"a{number}@x.com" for number in range(25))))) == 25
    with pytest.raises(InvalidInput, match="6 recipients, the limit is 5"):
        choose(";".join(f"a{number}@x.com" for number in range(6)), limit=5)
    for stored in (";".join(f"a{number}@x.com" for number in range(26)), "a@x.com;" + "b" * 4_000):
        (skipped,) = choose(stored, ("c@x.com",)).skipped
        assert skipped.email is not None
        assert skipped.email[:200] == stored[:200]
        assert skipped.reason_code == ReasonCode.RECIPIENT_MALFORMED


def test_a_copy_for_a_business_without_an_address_is_skipped() -> None:
    found = choose("c@x.com", copy=True)
    assert found.skipped == (
        Skipped(
            email=None,
            reason="no copy: the business has no e-mail address",
            reason_code=ReasonCode.NO_COPY_ADDRESS,
        ),
    )


def test_suppressed_addresses_are_skipped_wherever_they_come_from() -> None:
    gone = {"c@x.com": "550 5.1.1 unknown", "b@x.com": "gone"}
    by_business = ReasonCode.SUPPRESSED_BY_BUSINESS
    found = choose("C@x.com", ("a@x.com", "B@x.com"), suppressed=gone)
    assert emails(found) == ["a@x.com"]
    assert found.skipped == (
        Skipped(email="C@x.com", reason="suppressed: 550 5.1.1 unknown", reason_code=by_business),
        Skipped(email="B@x.com", reason="suppressed: gone", reason_code=by_business),
    )


def test_nobody_left_says_why() -> None:
    with pytest.raises(InvalidInput, match="leaves no recipient: the customer has no e-mail"):
        choose(None)
    with pytest.raises(InvalidInput, match=r"call me \(malformed: .*a@x.com \(suppressed: gone\)"):
        choose("call me", ("a@x.com",), suppressed={"a@x.com": "gone"})
    with pytest.raises(InvalidInput, match="business has no e-mail address"):
        choose(None, copy=True)


def test_the_limit_counts_who_receives() -> None:
    many = tuple(f"a{number}@x.com" for number in range(25))
    assert len(emails(choose("A0@x.com", many))) == 25
    with pytest.raises(InvalidInput, match="26 recipients, the limit is 25"):
        choose("c@x.com", many)
    assert len(emails(choose("c@x.com", many, suppressed={"c@x.com": "gone"}))) == 25


_ADDRESSES = st.sampled_from(
    ["a@x.com", "A@X.COM", "b@x.com", "ɛ@x.com", "Ɛ@x.com", "c@exämple.com", "c@xn--exmple-cua.com"]
)
_STORED = _ADDRESSES | st.sampled_from(["", "call me", "a@", "a@x.com\r\n"]) | st.none()


@seed(20241122)
@settings(database=None)
@given(_STORED, st.lists(_ADDRESSES), _STORED, st.booleans(), st.frozensets(_ADDRESSES))
def test_everybody_is_either_a_recipient_once_or_skipped(
    customer: str | None,
    others: list[str],
    business: str | None,
    copy: bool,  # noqa: FBT001 -- hypothesis passes it by position
    gone: frozenset[str],
) -> None:
    suppressed = {Address.parse(each).key: "gone" for each in gone}
    wanted = {each for each in (customer, *others) if each}
    if copy and business:
        wanted.add(business)
    try:
        found = choose(customer, tuple(others), business, copy=copy, suppressed=suppressed)
    except InvalidInput:
        keys = {_key(each) for each in wanted} - {None}
        assert keys <= set(suppressed)
        return
    receiving = [address.key for address in found.addresses]
    skipped = {_key(each.email) or each.email for each in found.skipped if each.email}
    assert len(set(receiving)) == len(receiving)
    assert not set(receiving) & (skipped | set(suppressed))
    assert set(receiving) | skipped == {_key(each) or each for each in wanted}


def _key(text: str | None) -> str | None:
    try:
        return Address.parse((text or "").strip()).key
    except ValueError:
        return None


async def test_every_key_is_folded_by_the_rule_of_postgres(ledger: asyncpg.Connection) -> None:
    signs = [chr(code) for code in range(sys.maxunicode + 1)]
    keys = set()
    for sign in signs:
        if sign.lower() == sign.upper() and not sign.istitle():
            continue
        for local in (sign, f"x{sign}"):
            try:
                keys.add(Address.parse(f"{local}@example.com").key)
            except ValueError:
                continue
    assert len(keys) > 2_000
    unlike = await ledger.fetch(
        "SELECT key FROM unnest($1::text[]) key WHERE key <> lower(key)", keys
    )
    assert unlike == []
