"""DKIM keys: which are taken, what is said of the others, and their records."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from shared.mail.dkim import Signer
from shared.mail.dkim_key import DkimKey, KeyType, read_keys
from shared.process.settings import MailerSettings, SettingsError
from tests.servers import absent
from tests.shared.mail.signed import DOMAIN, key, text
from tests.shared.process.environs import MAILER

NAME = f"a._domainkey.{DOMAIN}"


def pem(private: Any, encryption: Any = None, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    octets: bytes = private.private_bytes(Encoding.PEM, form, encryption or NoEncryption())
    return octets.decode()


PEM = pem(key("a").private)
LINES = PEM.splitlines()


def test_what_is_made_is_read_again() -> None:
    made = key("a"), key("b", "ed25519"), key("c", domain="other.example")
    found = read_keys("\n".join(each.text for each in made))
    assert found == made
    assert [each.public for each in found] == [each.public for each in made]
    assert [each.algorithm for each in found] == ["rsa-sha256", "ed25519-sha256", "rsa-sha256"]


def test_a_key_that_openssl_made_in_the_old_form_is_taken() -> None:
    old = pem(rsa.generate_private_key(65537, 2048), form=PrivateFormat.TraditionalOpenSSL)
    assert old.startswith("-----BEGIN RSA PRIVATE KEY")
    (found,) = read_keys(f"\r\n  {NAME}.\r\n\r\n{old}".replace("\n", "\r\n"))
    assert (found.selector, found.domain, found.kind) == ("a", DOMAIN, "rsa")


def test_a_name_has_the_form_of_the_dns() -> None:
    made = DkimKey.make("A.B-1", "Müller.example", "ed25519")
    assert made.name == "a.b-1._domainkey.xn--mller-kva.example"


@pytest.mark.parametrize("bits", [1024, 2046, 4104])
def test_rsa_has_2048_to_4096_bits(bits: int) -> None:
    given = pem(rsa.generate_private_key(65537, bits))
    with pytest.raises(ValueError, match=f"^the RSA key of {NAME} has {bits} bits: it should have"):
        read_keys(f"{NAME}\n{given}")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (pem(ec.generate_private_key(ec.SECP256R1())), "is neither RSA nor Ed25519"),
        (pem(dsa.generate_private_key(2048)), "is neither RSA nor Ed25519"),
        (pem(key("a").private, BestAvailableEncryption(b"x")), "is encrypted"),
        (PEM.replace("M", "N"), "cannot be read"),
        (PEM.replace("PRIVATE", "PUBLIC"), "cannot be read"),
    ],
    ids=["ec", "dsa", "encrypted", "damaged", "public"],
)
def test_other_keys_are_refused(given: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^the key of {NAME} {said}$"):
        read_keys(f"{NAME}\n{given}")


@pytest.mark.parametrize(
    "given",
    [
        "s3cret",
        PEM,
        f"{NAME}\n{NAME}\n{PEM}",
        f"{NAME}\n",
        f"{NAME}\n{PEM}\n{NAME}",
        f"{NAME}\n" + "\n".join(LINES[:-1]),
        f"{NAME}\n" + "\n".join(LINES[1:]),
        "\n".join([*LINES, NAME]),
    ],
    ids=[
        "no PEM",
        "no name",
        "two names",
        "name",
        "name at the end",
        "no END",
        "no BEGIN",
        "after",
    ],
)
def test_a_key_without_its_name_or_its_end_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"^should have before each key in PEM a line "):
        read_keys(given)


@pytest.mark.parametrize(
    "name",
    ["a", DOMAIN, f"_domainkey.{DOMAIN}", f"a b._domainkey.{DOMAIN}", f"-a._domainkey.{DOMAIN}",
     f"a..b._domainkey.{DOMAIN}", "a._domainkey.", "a._domainkey.x y", "a._domainkey.-x.example",
     f"{'a.' * 120}a._domainkey.{DOMAIN}", f"é._domainkey.{DOMAIN}", LINES[1]],
    ids=range(12),
)  # fmt: skip
def test_what_is_no_name_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(ValueError, match=r"^the name of a key (should|has more)") as raised:
        read_keys(f"{name}\n{PEM}")
    assert len(name) < 20 or name not in str(raised.value)


def test_two_keys_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=f"^has two keys of {NAME}$"):
        read_keys(f"{NAME}\n{PEM}\n{NAME.upper()}.\n{PEM}")


def test_a_signer_has_the_keys_of_its_domain_and_at_most_three() -> None:
    keys = [key("a"), key("b", "ed25519"), key("c", domain="other.example")]
    given = "".join(each.text for each in keys)
    assert [each.selector for each in Signer.of(DOMAIN.upper(), given).keys] == ["a", "b"]
    with pytest.raises(ValueError, match=r"^has no key of third\.example, the domain of MAIL_FRO"):
        Signer.of("third.example", given)
    most = [key(name, "ed25519").text for name in "wxyz"]
    assert len(Signer.of(DOMAIN, "".join(most[:3])).keys) == 3
    with pytest.raises(ValueError, match=r"^has more than 3 keys of"):
        Signer.of(DOMAIN, "".join(most))


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_the_record_has_strings_of_at_most_255_octets(kind: KeyType) -> None:
    made = key("a", kind)
    strings = re.findall('"([^"]*)"', made.record)
    assert max(map(len, strings)) <= 255
    assert text(made.record) == f"v=DKIM1; k={kind}; p={made.public}"
    assert made.record.startswith(f"{NAME}. IN TXT (")


def test_openssl_finds_the_same_public_key(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        absent("openssl is not installed")
    for made in (key("a"), key("b", "ed25519")):
        (tmp_path / "key").write_text(made.text)
        told = subprocess.run(
            ["openssl", "pkey", "-in", tmp_path / "key", "-pubout"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert "".join(told.stdout.splitlines()[1:-1]).endswith(made.public[-40:])


def test_a_wrong_key_stops_the_start_in_one_line_without_the_key() -> None:
    short = pem(rsa.generate_private_key(65537, 1024))
    other = f"a._domainkey.x.example\n{PEM}"
    for given in (f"{NAME}\n{short}", short, f"{NAME}\n{PEM[:400]}", other):
        environ = MAILER | {"DKIM_KEYS": given, "MAIL_FROM": f"L <post@{DOMAIN}>"}
        with pytest.raises(SettingsError) as raised:
            MailerSettings.from_environ(environ)
        said = str(raised.value)
        assert said.startswith("DKIM_KEYS: ")
        assert "\n" not in said
        assert not any(line in said for line in given.splitlines()[1:])


def test_no_text_of_settings_or_keys_shows_a_key() -> None:
    environ = MAILER | {"DKIM_KEYS": key("a").text, "MAIL_FROM": f"L <post@{DOMAIN}>"}
    settings = MailerSettings.from_environ(environ)
    assert settings.signer is not None
    shown = repr(settings) + str(settings) + repr(settings.signer.keys) + str(key("a"))
    assert DOMAIN in shown
    assert not any(line in shown for line in key("a").text.splitlines()[1:])


def test_without_keys_there_is_no_signer(tmp_path: Path) -> None:
    assert MailerSettings.from_environ(MAILER).signer is None
    (tmp_path / "keys").write_text("\n")
    environ = MAILER | {"DKIM_KEYS_FILE": str(tmp_path / "keys")}
    assert MailerSettings.from_environ(environ).signer is None
