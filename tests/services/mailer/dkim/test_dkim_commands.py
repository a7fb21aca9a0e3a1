"""The commands for DKIM keys, with a zone file and with a DNS server."""

import stat
from collections.abc import Sequence
from pathlib import Path

import dns.rcode
import pytest

from shared.mail.dkim_key import DkimKey, read_keys
from tests.commands import Ended, ended
from tests.judge.dns import Dns
from tests.shared.mail.signed import DOMAIN, key, records, text

RSA, ED25519 = key("2026r"), key("2026e", "ed25519")
FOREIGN = key("x", "ed25519", "other.example")
SENDER = f"Ledgerpost <post@{DOMAIN}>"


async def dkim(*words: str, keys: Sequence[DkimKey] = (), sender: str = SENDER) -> Ended:
    settings = {"MAIL_FROM": sender, "DKIM_KEYS": "".join(each.text for each in keys)}
    return await ended("services.mailer", "dkim", *words, settings=settings)


async def generated(out: Path, *words: str) -> Ended:
    where = ("--domain", DOMAIN, "--selector", "2026a", "--out", str(out))
    return await ended("services.mailer", "dkim", "generate", *where, *words, settings={})


@pytest.mark.parametrize(("words", "kind"), [((), "rsa"), (("--type", "ed25519"), "ed25519")])
async def test_a_key_is_generated_and_found_in_the_zone_of_its_record(
    words: tuple[str, ...], kind: str, tmp_path: Path
) -> None:
    out, zone = tmp_path / "key", tmp_path / "zone"
    done = await generated(out, *words)
    assert (done.status, done.err) == (0, "")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    (made,) = read_keys(out.read_text())
    assert made.kind == kind
    assert done.out == f"{made.record}\n"
    zone.write_text(done.out)
    checked = await dkim("check", "--zone", str(zone), keys=[made])
    assert (checked.status, checked.err) == (0, "")
    assert checked.out == f"2026a._domainkey.{DOMAIN} ({kind}) is published\n"


async def test_no_file_is_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "key"
    out.write_text("mine")
    done = await generated(out)
    assert (done.status, done.out) == (1, "")
    assert done.err == f"Error: --out {out}: File exists\n"
    assert out.read_text() == "mine"


async def test_a_wrong_name_makes_no_file(tmp_path: Path) -> None:
    words = ("generate", "--domain", "a b", "--selector", "x", "--out", str(tmp_path / "key"))
    done = await dkim(*words)
    assert done.status == 1
    assert done.err.startswith("Error: the name of a key should be SELECTOR._domainkey.DOMAIN")
    assert not (tmp_path / "key").exists()


async def test_the_dns_is_asked_for_each_key_that_signs() -> None:
    async with Dns(records(RSA, ED25519)) as server:
        words = ("check", "--resolver", f"127.0.0.1:{server.port}")
        done = await dkim(*words, keys=[RSA, ED25519, FOREIGN])
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"{RSA.name} (rsa) is published",
        f"{ED25519.name} (ed25519) is published",
        f"{FOREIGN.name} (ed25519) signs nothing: MAIL_FROM has another domain",
    ]
    assert set(server.asked) == {f"{RSA.name}.", f"{ED25519.name}."}


OTHER = text(key("other").record)
GOOD = text(ED25519.record)


@pytest.mark.parametrize(
    ("published", "said"),
    [
        (None, "is not published. Add this record:"),
        ([], "is not published. Add this record:"),
        ([f'"{GOOD}"', '"v=DKIM1; p=x"'], "has 2 TXT records. Leave only this one:"),
        (['"hello"'], "has a TXT record that is none of DKIM. Replace it by this one:"),
        ([f'"{GOOD.replace("DKIM1", "DKIM2")}"'], "has a TXT record that is none of DKIM."),
        (['"v=DKIM1; k=ed25519; p="'], "is revoked by its empty p=. Make a key with a new"),
        ([f'"{GOOD.replace("k=ed25519", "k=rsa")}"'], "has a record of another type of key in k="),
        ([f'"{GOOD[:-9]}"'], "has a record that is cut: its p= has 35 of 44 characters;"),
        ([f'"{GOOD[:-4]}AAA="'], "has a record with another public key. Replace it by this one:"),
        ([f'"{GOOD}; h=sha1"'], "has a record whose h= does not allow sha256."),
        ([f'"{GOOD}; s=tlsrpt"'], "has a record whose s= does not allow email."),
        ([f'"{GOOD}; t=y:s"'], "has a record that is for tests only, by t=y: no signature counts."),
    ],
)
async def test_what_is_wrong_with_a_record_is_said_with_the_right_one(
    published: list[str] | None, said: str
) -> None:
    found = {} if published is None else {f"{ED25519.name}.": published}
    async with Dns(found) as server:
        done = await dkim("check", "--resolver", f"127.0.0.1:{server.port}", keys=[ED25519])
    assert (done.status, done.err) == (1, "")
    first, _, rest = done.out.partition("\n")
    assert first.startswith(f"{ED25519.name} (ed25519) {said}")
    assert rest == f"{ED25519.record}\n"


@pytest.mark.parametrize(
    "published",
    [
        f'"{GOOD}; h=sha1:sha256; s=email; t=s; n=a note"',
        '"' + GOOD.replace("v=DKIM1; ", "").replace("; ", " ;  ") + ' ;"',
        '"' + GOOD[:30] + '" " ' + GOOD[30:] + '"',
    ],
    ids=["further tags", "blanks", "strings"],
)
async def test_a_record_may_be_written_in_other_ways(published: str) -> None:
    async with Dns({f"{ED25519.name}.": [published]}) as server:
        done = await dkim("check", "--resolver", f"127.0.0.1:{server.port}", keys=[ED25519])
    assert (done.status, done.err) == (0, "")


async def test_a_server_that_fails_is_no_record_that_is_missing() -> None:
    async with Dns({}) as server:
        server.rcode = dns.rcode.SERVFAIL
        done = await dkim("check", "--resolver", f"127.0.0.1:{server.port}", keys=[RSA])
    assert (done.status, done.out) == (1, "")
    assert done.err == f"Error: the DNS does not tell of {RSA.name}: the servers fail\n"


@pytest.mark.parametrize("resolver", ["localhost", "127.0.0.1:x", "127.0.0.1:70000", "::1:", ""])
async def test_a_resolver_is_an_address(resolver: str) -> None:
    done = await dkim("check", "--resolver", resolver, keys=[RSA])
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"Error: --resolver {resolver}: should be an IP address")


ZONE = f"""\
$ORIGIN {DOMAIN}.
@ 300 IN SOA ns.{DOMAIN}. post.{DOMAIN}. 1 2 3 4 5
  IN NS ns
{RSA.selector}._domainkey TXT {records(RSA)[f"{RSA.name}."][0]}
{ED25519.selector}._domainkey IN TXT {records(ED25519)[f"{ED25519.name}."][0]}
old._domainkey IN CNAME elsewhere.example.
"""


async def test_a_whole_zone_file_with_relative_names_is_read(tmp_path: Path) -> None:
    zone = tmp_path / "zone"
    for content in (ZONE, ZONE.partition("\n")[2]):
        zone.write_text(content)
        done = await dkim("check", "--zone", str(zone), keys=[RSA, ED25519])
        assert (done.status, done.err) == (0, "")
    alias = await dkim("check", "--zone", str(zone), keys=[key("old")])
    assert (alias.status, alias.out) == (1, "")
    assert alias.err == (
        f"Error: --zone {zone}: {key('old').name} is a CNAME, which leads to another zone\n"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "{}: No such file or directory"), (b"\xff", "{}: not UTF-8"), (b"a b (", "{}:1: ")],
)
async def test_a_zone_file_that_cannot_be_read(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    zone = tmp_path / "zone"
    if content is not None:
        zone.write_bytes(content)
    done = await dkim("check", "--zone", str(zone), keys=[RSA])
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: --zone " + said.format(zone))
    assert done.err.count("\n") == 1


async def test_without_keys_or_with_those_of_others_there_is_nothing_to_check() -> None:
    done = await dkim("check")
    assert (done.status, done.out, done.err) == (2, "", "Error: DKIM_KEYS: is not set\n")
    done = await dkim("check", keys=[FOREIGN])
    assert (done.status, done.out) == (2, "")
    assert done.err == f"Error: DKIM_KEYS: has no key of {DOMAIN}, the domain of MAIL_FROM\n"
