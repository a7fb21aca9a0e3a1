"""Checks of settings that depend on other settings."""

import re
from collections.abc import Callable

from pydantic import ValidationInfo

from shared.mail.dkim import Signer
from shared.mail.mailbox import Mailbox
from shared.mail.return_path import ReturnPaths

#: The complaint about a setting that is missing.
NOT_SET = "is not set"


def answerable(chosen: str, info: ValidationInfo) -> str:
    """Check that unsubscribing can work: over HTTPS, with a secret for the links."""
    if chosen == "on":
        if info.data.get("unsubscribe_secret") is None:
            raise ValueError("needs UNSUBSCRIBE_SECRET")
        if not re.fullmatch(r"https://[!-;=?-~]{1,200}", info.data.get("public_url", "")):
            raise ValueError("needs a PUBLIC_URL that begins with https://")
    return chosen


def follows(newer: str) -> Callable[[str | None, ValidationInfo], str | None]:
    """Return a check that there is a newer secret, in the setting `newer`, that follows this."""

    def check(chosen: str | None, info: ValidationInfo) -> str | None:
        if chosen is not None and info.data.get(newer, "") is None:
            raise ValueError(f"needs {newer.upper()}, the secret that signs now")
        return chosen

    return check


def sender(chosen: str | None) -> str | None:
    """Check that it is the address of a sender."""
    if chosen is not None:
        Mailbox.parse(chosen)
    return chosen


def returnable(chosen: str | None, info: ValidationInfo) -> str | None:
    """Check that return paths can be made with this secret: that they have a domain."""
    if chosen is not None and {"mail_from", "bounce_domain"} <= info.data.keys():
        domain, sender = info.data["bounce_domain"], info.data["mail_from"]
        if domain is None and sender is None:
            raise ValueError("needs MAIL_FROM or BOUNCE_DOMAIN")
        ReturnPaths(chosen, domain or Mailbox.parse(sender).domain)
    return chosen


def one_or_several(url: str | None, info: ValidationInfo) -> str | None:
    """Check that either one database is set or several."""
    several = info.data.get("database_urls")
    if url is not None and several:
        raise ValueError("set either DATABASE_URL or DATABASE_URLS, not both")
    if url is None and several == {}:
        raise ValueError(NOT_SET)
    return url


def of_one_database(url: str | None, info: ValidationInfo) -> str | None:
    """Check that there is one database of which this is the replica."""
    if url is not None and info.data.get("database_urls"):
        raise ValueError("is a replica of DATABASE_URL, and cannot be used with DATABASE_URLS")
    return url


def signable(chosen: str | None, info: ValidationInfo) -> str | None:
    """Check that mails from MAIL_FROM can be signed by these keys."""
    if chosen is not None and "mail_from" in info.data:
        Signer.of(Mailbox.parse(info.data["mail_from"]).domain, chosen)
    return chosen
