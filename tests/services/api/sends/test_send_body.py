import random
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest

from services.api.core.parsing import parse
from services.api.core.refusals import InvalidInput
from services.api.sends.request import SendBody, SendRequest
from shared.mail.address import Address
from shared.period import Period
from shared.statements.model import Kind

PERIOD = Period(date(2024, 11, 1), date(2024, 11, 30))


def asked(given: dict[str, Any]) -> SendRequest:
    return SendRequest.of(4, PERIOD, parse(SendBody, given))


def fields_at_fault(given: dict[str, Any]) -> set[str]:
    with pytest.raises(InvalidInput) as caught:
        asked(given)
    return {error.field for error in caught.value.errors}


def test_nothing_given_means_now_to_the_customer_alone() -> None:
    assert asked({}) == SendRequest(4, PERIOD, None, (), copy_to_me=False, moments=())


def test_null_and_empty_strings_are_nothing_given() -> None:
    names = ("message", "other_emails", "send_tome", "send_at", "copy_to_me")
    names = (*names, "statement_kind", "locale")
    for nothing in (None, ""):
        assert asked(dict.fromkeys(names, nothing)) == asked({})


def test_line_ends_become_line_feeds_before_a_message_is_measured() -> None:
    assert asked({"message": "a\r\nb\rc\n"}).message == "a\nb\nc\n"
    assert asked({"message": "\r\n" * 10_000}).message == "\n" * 10_000
    assert fields_at_fault({"message": "ɛ" * 10_001}) == {"message"}


@pytest.mark.parametrize("flag", [1, True, "1", "true", "TRUE", "True"])
def test_send_tome_as_a_flag_asks_for_a_copy(flag: object) -> None:
    assert asked({"send_tome": flag}) == asked({"copy_to_me": flag})
    assert asked({"send_tome": flag}).copy_to_me is True
    assert asked({"send_tome": flag}).moments == ()


@pytest.mark.parametrize("flag", [0, False, "0", "false", "FALSE"])
def test_send_tome_as_a_flag_declines_a_copy(flag: object) -> None:
    assert asked({"send_tome": flag}) == asked({"copy_to_me": flag}) == asked({})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-11-30", date(2024, 11, 30)),
        ("2024-11-30T09:00:00Z", datetime(2024, 11, 30, 9, tzinfo=UTC)),
        ("2024-11-30t09:00:00z", datetime(2024, 11, 30, 9, tzinfo=UTC)),
        ("2024-11-30T09:00+01:00", datetime(2024, 11, 30, 8, tzinfo=UTC)),
        ("2024-11-30 09:00:00.5-0530", datetime(2024, 11, 30, 14, 30, 0, 500000, tzinfo=UTC)),
        ("2024-11-30T09:00:00.123456789Z", datetime(2024, 11, 30, 9, 0, 0, 123456, tzinfo=UTC)),
        ("0001-01-01", date(1, 1, 1)),
    ],
)
def test_a_moment_has_two_names(written: str, meant: date | datetime) -> None:
    assert asked({"send_tome": written}).moments == (meant,)
    assert asked({"send_at": written, "send_tome": written}) == asked({"send_at": written})
    assert asked({"send_at": written, "send_tome": True}).copy_to_me is True


def test_contradictions_name_a_field() -> None:
    assert fields_at_fault({"send_tome": 0, "copy_to_me": 1}) == {"copy_to_me"}
    assert fields_at_fault({"send_tome": True, "copy_to_me": "false"}) == {"copy_to_me"}


_NOT_MOMENTS = (
    "2024-02-30 2024-13-01 0000-01-01 9999-01-01 20241130 2024-W48-6 24-11-30 tomorrow on yes 2"
    " 2024-11-30T09:00:00 2024-11-30T25:00Z 2024-11-30T09:00:60Z 2024-11-30T09:00+24:00"
    " 0001-01-01T00:00:00+14:00 \uff12\uff1024-11-30 2024-11-30\0 2024-11-30\n"
)


@pytest.mark.parametrize("value", [*_NOT_MOMENTS.split(" "), 1.0, 2, -1, 10**400, [], {}, [1]])
def test_what_is_neither_a_moment_nor_a_flag_is_refused(value: object) -> None:
    assert fields_at_fault({"send_tome": value}) == {"send_tome"}
    assert fields_at_fault({"send_at": value}) == {"send_at"}
    assert fields_at_fault({"copy_to_me": value}) == {"copy_to_me"}


def test_a_moment_is_no_copy_and_a_copy_no_moment() -> None:
    assert fields_at_fault({"copy_to_me": "2024-11-30"}) == {"copy_to_me"}
    assert fields_at_fault({"send_at": True, "copy_to_me": 1}) == {"send_at"}


@pytest.mark.parametrize(
    "value",
    ["a\0b", "\ud800", 5, 1.5, True, ["text"], {"text": 1}],
    ids=repr,
)
def test_what_is_no_text_is_no_message(value: object) -> None:
    assert fields_at_fault({"message": value}) == {"message"}


@pytest.mark.parametrize(
    "value",
    [
        7,
        True,
        {"email": "a@example.com"},
        [["a@example.com"]],
        [None],
        [""],
        ["a@example.com, b@example.com"],
        "a@example.com b@example.com",
        "a@example.com\r\nBcc: b@example.com",
        ["a@example.com\n"],
        ["a\0@example.com"],
        ["\ud800@example.com"],
        ["a@exam\udfffple.com"],
        ["Ada <a@example.com>"],
        ["<a@example.com>"],
        ['"a b"@example.com'],
        ["a@[127.0.0.1]"],
        ["a@localhost"],
        ["a"],
        ["@example.com"],
        ["a@b@example.com"],
        ["x" * 300 + "@example.com"],
        ["a@" + "ü" * 100_000 + ".com"],
        [f"a{number}@example.com" for number in range(1001)],
        "a@example.com," * 1001,
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_malformed_addresses_are_refused(value: object) -> None:
    assert fields_at_fault({"other_emails": value}) == {"other_emails"}


def test_addresses_come_as_a_list_or_separated_and_once_each() -> None:
    given = ["B@example.com", "a@example.com", "b@EXAMPLE.com", "ɛsi@exämple.com"]
    found = asked({"other_emails": given}).others
    assert [address.email for address in found] == [
        "B@example.com",
        "a@example.com",
        "ɛsi@exämple.com",
    ]
    assert asked({"other_emails": f" {' , '.join(given)},, "}).others == found
    assert asked({"other_emails": f" {';'.join(given)};, ; "}).others == found


@pytest.mark.parametrize("domain", ["corp.local", "inbox.test", "shop.invalid"])
def test_domains_of_inner_networks_are_for_the_smarthost_to_judge(domain: str) -> None:
    (address,) = asked({"other_emails": [f"a@{domain}"]}).others
    assert address.key == f"a@{domain}"


def test_unknown_fields_are_refused_by_name() -> None:
    assert fields_at_fault({"other_email": "a@example.com", "sendAt": "2024-11-30"}) == {
        "other_email",
        "sendAt",
    }


def test_the_fingerprint_knows_the_content_and_not_how_it_is_written() -> None:
    same: list[dict[str, Any]] = [
        {
            "message": "a\r\nb",
            "other_emails": "A@example.com",
            "send_tome": "2030-01-01T01:00+01:00",
        },
        {"message": "a\nb", "other_emails": ["a@example.com"], "send_at": "2030-01-01T00:00Z"},
        {
            "message": "a\rb",
            "other_emails": "a@EXAMPLE.com,a@example.com",
            "send_at": "2030-01-01T00:00:00Z",
            "send_tome": False,
        },
    ]
    assert len({asked(given).fingerprint for given in same}) == 1


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant", "gsw", "sr-Latn-RS", "de-CH-1996", "EN"])
def test_a_language_is_a_tag_and_stays_as_it_is_written(tag: str) -> None:
    assert asked({"locale": tag}).locale == tag


@pytest.mark.parametrize(
    "tag",
    [
        *("e", "english", "pt_BR", "pt-", "-pt", "de-u-nu-latn", "x-y", "en en", "en\n", "é", "e1"),
        *(1, True, ["en"], {}, "a" * 100_000, "aa" + "-bb" * 4),
    ],
)
def test_what_is_no_language_tag_is_refused(tag: object) -> None:
    assert fields_at_fault({"locale": tag, "send_at": "x"}) == {"locale", "send_at"}


@pytest.mark.parametrize("kind", ["", None, *get_args(Kind)])
def test_a_kind_is_one_of_three_or_absent(kind: str | None) -> None:
    assert asked({"statement_kind": kind}).kind == (kind or None)


@pytest.mark.parametrize("kind", ["Activity", "open_items", " activity", 1, True, ["activity"], {}])
def test_what_is_no_kind_is_refused(kind: object) -> None:
    assert fields_at_fault({"statement_kind": kind, "locale": "?"}) == {"statement_kind", "locale"}


def test_the_fingerprint_stays_that_of_stored_answers() -> None:
    stored = SendRequest(
        customer_id=4,
        period=PERIOD,
        message="Hi ü",
        others=(Address.parse("A@x.com"),),
        copy_to_me=True,
        moments=(date(2024, 12, 1), datetime(2024, 12, 1, tzinfo=UTC)),
    )
    assert stored.fingerprint.hex() == (
        "b7314b3db7d7e5f3a81d0bc7bd5be0fed88c50d05940367690cbc55facd48535"
    )


def test_the_fingerprint_tells_different_requests_apart() -> None:
    different: list[dict[str, Any]] = [
        {},
        {"message": "a"},
        {"other_emails": "a@example.com"},
        {"send_tome": "2030-01-01"},
        {"send_tome": "2030-01-01T00:00Z"},
        {"send_tome": 1},
        {"statement_kind": "open-items"},
        {"statement_kind": "activity"},
        {"locale": "fr"},
        {"statement_kind": "activity", "locale": "fr"},
    ]
    requests = [asked(given) for given in different]
    body = parse(SendBody, {})
    requests.append(SendRequest.of(5, PERIOD, body))
    requests.append(SendRequest.of(4, Period(PERIOD.start, PERIOD.start), body))
    assert len({request.fingerprint for request in requests}) == len(requests)


def test_no_value_breaks_the_reading() -> None:
    chance = random.Random(20241122)
    atoms: list[Any] = [
        None,
        "",
        "1",
        1,
        0,
        2**70,
        1.5,
        True,
        "a@b.co",
        "\0",
        "\ud800",
        "2024-11-30",
    ]

    def value(depth: int) -> Any:
        kind = chance.randrange(6)
        if depth and kind == 0:
            return [value(depth - 1) for _ in range(chance.randrange(3))]
        if depth and kind == 1:
            return {str(chance.choice(atoms)): value(depth - 1)}
        return chance.choice(atoms)

    names = ["message", "other_emails", "send_tome", "send_at", "copy_to_me", "other"]
    names += ["statement_kind", "locale"]
    outcomes = set()
    for _ in range(3000):
        given = {name: value(2) for name in chance.sample(names, chance.randrange(4))}
        try:
            asked(given)
            outcomes.add("read")
        except InvalidInput as error:
            assert {each.field for each in error.errors} <= set(names)  # noqa: PT017 -- either outcome is right
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
