"""Checks of the DNS for the sender: SPF, DKIM, DMARC, and where returned mails go."""

import asyncio
from collections.abc import Callable

import dns.resolver

from services.mailer.dkim import published
from shared.doctor.checkup import Checkup
from shared.doctor.finding import Said, failure, ok, skipped, warning
from shared.mail.dkim_key import read_keys
from shared.mail.mailbox import Mailbox
from shared.process.settings import MailerSettings

_PATIENCE_S = 5.0  # for one name
_LABELS_MIN = 2  # of a domain that may have a DMARC record


class Sender:
    """The sender of the settings, as the DNS shows it."""

    def __init__(self, settings: MailerSettings, resolver: dns.resolver.Resolver) -> None:
        self._settings = settings
        self._resolver = resolver
        self._domain = Mailbox.parse(settings.mail_from).domain
        signed = settings.return_path == "bounce" and settings.return_secret is not None
        # The domain for which SPF is asked.
        self._returns = (signed and settings.bounce_domain) or self._domain
        self._is_signed = signed

    def spf(self) -> Said:
        """Check the SPF record of the domain of return paths."""
        found = [each for each in self._texts(self._returns) if _is_spf(each)]
        if not found:
            return warning(
                f"{self._returns} has no SPF record",
                f"add a TXT record to {self._returns}, such as v=spf1 include:NAME -all, as your"
                " SMTP server's provider says",
            )
        if len(found) > 1:
            return failure(
                f"{self._returns} has {len(found)} SPF records, so that none counts",
                "leave only one of them",
            )
        if "+all" in found[0].split() or "all" in found[0].split():
            return warning(
                f"the SPF record of {self._returns} allows every sender", "end it with -all"
            )
        return ok(f"{self._returns} has an SPF record")

    def dkim(self) -> list[Said]:
        """Compare the records of the keys with the keys."""
        keys = self._settings.dkim_keys
        if keys is None:
            return [skipped("DKIM_KEYS is not set: the SMTP server has to sign, see docs/dkim.md")]
        findings = []
        for key in read_keys(keys):
            fault = published.fault(key, self._texts(key.name))
            findings.append(
                ok(f"{key.name} ({key.kind}) is published")
                if fault is None
                else failure(f"{key.name} ({key.kind}) {fault.partition('. ')[0]}", key.record)
            )
        return findings

    def dmarc(self) -> Said:
        """Check the DMARC record of the sender's domain, or of a domain above it."""
        labels = self._domain.split(".")
        for start in range(len(labels) - _LABELS_MIN + 1):
            domain = ".".join(labels[start:])
            if any(_is_dmarc(each) for each in self._texts(f"_dmarc.{domain}")):
                return self._alignment(domain)
        return warning(
            f"{self._domain} has no DMARC record",
            f"add a TXT record to _dmarc.{self._domain}, such as v=DMARC1; p=none",
        )

    def return_path(self) -> Said:
        """Check that returned mails arrive somewhere."""
        if not self._is_signed:
            return skipped("return paths are not signed: returned mails go to MAIL_FROM")
        exchanges = self._asked(self._returns, "MX")
        if exchanges == ["0 ."]:
            return failure(
                f"{self._returns} takes no mail, by its null MX", "set another BOUNCE_DOMAIN"
            )
        if not exchanges and not any(self._asked(self._returns, kind) for kind in ("A", "AAAA")):
            return failure(
                f"{self._returns} has neither MX nor address: returned mails are lost",
                f"add an MX record to {self._returns}; see docs/returns.md",
            )
        return ok(f"returned mails have a way to {self._returns}")

    def _alignment(self, found_at: str) -> Said:
        ends = (f".{found_at}", f".{self._domain}")
        related = self._returns in {found_at, self._domain} or self._returns.endswith(ends)
        if self._settings.dkim_keys is None and not related:
            return warning(
                f"{self._returns} of return paths is not of {found_at}: by SPF alone, no mail"
                " passes DMARC",
                f"set DKIM_KEYS, or a BOUNCE_DOMAIN below {found_at}",
            )
        return ok(f"{found_at} has a DMARC record")

    def _texts(self, name: str) -> list[str]:
        return self._asked(name, "TXT")

    def _asked(self, name: str, kind: str) -> list[str]:
        return published.asked(self._resolver, name, kind, _PATIENCE_S)


async def examine(checkup: Checkup, settings: MailerSettings, server: str | None) -> None:
    """Check the DNS by the system's servers, or by this one."""
    try:
        sender = Sender(settings, published.resolver(server))
    except published.Unknown as error:
        checkup.note("dns.reachable", skipped(str(error), "give one by --resolver ADDRESS"))
        return
    for name in ("spf", "dkim", "dmarc", "return_path"):
        await checkup.check(f"dns.{name}", _in_thread(getattr(sender, name)))


async def _in_thread(look: Callable[[], Said | list[Said]]) -> Said | list[Said]:
    try:
        return await asyncio.to_thread(look)
    except published.Unknown as error:
        return skipped(str(error), "ask another by --resolver ADDRESS")


def _is_spf(text: str) -> bool:
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def _is_dmarc(text: str) -> bool:
    return text.partition(";")[0].replace(" ", "").upper() == "V=DMARC1"
