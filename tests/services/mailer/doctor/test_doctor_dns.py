"""What the mailer's `doctor` finds in the DNS, asked of a DNS server on 127.0.0.1."""

import dns.rcode
import pytest

from provision.ports import free_ports
from tests.doctor_report import Doctor, doctor
from tests.judge.dns import Dns
from tests.shared.mail.signed import DOMAIN, key, records

RSA = key("2026r")
SETTINGS = {
    "DATABASE_URL": "postgresql://none/none",
    "AMQP_URL": "amqp://none/none",
    "SMTP_URL": "smtp://none",
    "MAIL_FROM": f"Ledgerpost <post@{DOMAIN}>",
    "BOUNCE_DOMAIN": f"bounces.{DOMAIN}",
    "RETURN_SECRET": "r" * 32,
    "DKIM_KEYS": RSA.text,
}
SOUND = {
    f"bounces.{DOMAIN}.": ['"v=spf1 include:mail.example -all"'],
    f"bounces.{DOMAIN}. MX": ["10 mail.example."],
    f"_dmarc.{DOMAIN}.": ['"v=DMARC1; p=reject"'],
    **records(RSA),
}


async def of_dns(port: int, **more: str) -> Doctor:
    return await doctor(
        "--only", "dns", "--resolver", f"127.0.0.1:{port}",
        program="services.mailer", **(SETTINGS | more),
    )  # fmt: skip


async def test_a_sender_with_all_records_is_ok() -> None:
    async with Dns(SOUND) as server:
        found = await of_dns(server.port)
    assert (found.status, found.not_ok) == (0, {})
    assert found.statuses.keys() == {"dns.spf", "dns.dkim", "dns.dmarc", "dns.return_path"}


@pytest.mark.parametrize(
    ("without", "change", "check", "status", "words"),
    [
        (f"bounces.{DOMAIN}.", {}, "spf", "warning", "has no SPF record"),
        ("", {f"bounces.{DOMAIN}.": ['"v=spf1 -all"', '"v=spf1 mx -all"']}, "spf", "failure", "2"),
        ("", {f"bounces.{DOMAIN}.": ['"v=spf1 +all"']}, "spf", "warning", "every sender"),
        (f"_dmarc.{DOMAIN}.", {}, "dmarc", "warning", "has no DMARC record"),
        (f"{RSA.name}.", {}, "dkim", "failure", "is not published"),
        (f"bounces.{DOMAIN}. MX", {}, "return_path", "failure", "neither MX nor address"),
        ("", {f"bounces.{DOMAIN}. MX": ["0 ."]}, "return_path", "failure", "takes no mail"),
    ],
)
async def test_a_record_that_is_missing_or_wrong_is_found(
    without: str, change: dict[str, list[str]], check: str, status: str, words: str
) -> None:
    kept = {name: texts for name, texts in SOUND.items() if name != without}
    async with Dns(kept | change) as server:
        found = await of_dns(server.port)
    assert found.not_ok == {f"dns.{check}": {status}}
    [(_, text)] = found.of(f"dns.{check}")
    assert words in text
    assert found.status == int(status == "failure")
    assert "PRIVATE" not in str(found.report)


async def test_a_return_path_of_another_domain_needs_dkim() -> None:
    foreign = {
        "bounces.other.example.": ['"v=spf1 -all"'],
        "bounces.other.example. A": ["192.0.2.1"],
    }
    async with Dns(SOUND | foreign) as server:
        found = await of_dns(server.port, BOUNCE_DOMAIN="bounces.other.example", DKIM_KEYS="")
    assert found.not_ok == {"dns.dkim": {"skipped"}, "dns.dmarc": {"warning"}}


async def test_a_dns_that_fails_or_is_silent_is_skipped() -> None:
    async with Dns(SOUND) as server:
        server.rcode = dns.rcode.SERVFAIL
        found = await of_dns(server.port)
    assert (found.status, {str(each) for each in found.statuses.values()}) == (0, {"{'skipped'}"})
    [port] = free_ports(1)
    nobody = await of_dns(port)
    assert nobody.statuses["dns.spf"] == {"skipped"}
