"""The cause of a bounce: whom its enhanced status and the server's words are about."""

import re
from dataclasses import dataclass, replace
from typing import Final

from shared.returns.verdict import Scope
from shared.text import printable_line

#: An enhanced status (RFC 3463) in a text; `5.1.1.` counts, an address of IPv4 does not.
STATUS: Final = re.compile(r"(?<![0-9.])([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9]|\.[0-9])")


_DIAGNOSTIC_CHARS_MAX = 500


def diagnostic_of(text: str) -> str | None:
    """Return a server's words as one line that a database can hold, or None if there are none."""
    return printable_line(text, _DIAGNOSTIC_CHARS_MAX) or None


def words(*forms: str) -> re.Pattern[str]:
    """Return the pattern of any of these phrases, in upper or lower case."""
    return re.compile("|".join(forms), re.IGNORECASE)


@dataclass(frozen=True)
class Cause:
    """The scope of a bounce, and whether the recipient can never be reached."""

    scope: Scope
    is_permanent: bool


_GONE = Cause(Scope.RECIPIENT, is_permanent=True)
_FOR_NOW = Cause(Scope.RECIPIENT, is_permanent=False)
_POLICY = Cause(Scope.POLICY, is_permanent=False)
_SERVERS = Cause(Scope.INFRASTRUCTURE, is_permanent=False)
_CONTENT = Cause(Scope.CONTENT, is_permanent=False)
# Words about a domain or a host: they are about the recipient if the status is about an address.
_NO_DOMAIN = Cause(Scope.RECIPIENT, is_permanent=True)

# By subject and detail of an enhanced status, as RFC 3463 and its registry at IANA define them.
_BY_DETAIL = {
    "1.1": _GONE,
    "1.2": _GONE,
    "1.3": _GONE,
    "1.6": _GONE,
    "1.10": _GONE,
    "2.1": _GONE,
    "2.2": _FOR_NOW,
    "2.3": _CONTENT,
    "3.4": _CONTENT,
}
_BY_SUBJECT = {
    "1": _POLICY,  # what is left of it is about the sender's address
    "2": _FOR_NOW,
    "3": _SERVERS,
    "4": _SERVERS,
    "5": _SERVERS,
    "6": _CONTENT,
    "7": _POLICY,
}
# Statuses that servers use for whatever has no status of its own: the words decide, if they can.
_VAGUE = frozenset({"0.0", "1.0", "2.0", "3.0", "4.0", "4.1", "5.0", "5.1", "7.0", "7.1", "1.2"})

# In the order in which they are looked for: what is about us comes before what is about the
# recipient, because no recipient may be suppressed for it.
_WORDS = (
    (
        _POLICY,
        words(
            "blocked (?:using|by|for|due|because|message)",
            "black ?list",
            "block ?list",
            r"\brbl\b",
            "spamhaus",
            r"\bspam\b",
            "unsolicited",
            "reputation",
            r"\bdmarc\b",
            r"\bspf\b",
            r"\bdkim\b",
            "relay(?:ing)? (?:access )?denied",
            "not (?:allowed|permitted) to (?:relay|send)",
            "relay not permitted",
            "content (?:filter|policy)",
            "(?:domain|security|local|site|administrative) policy",
            "policy (?:violation|reasons?)",
            "rate limit",
            "too many (?:messages|connections|errors)",
            "authentication required",
            "sender (?:address )?(?:rejected|denied|blocked|verify failed|unknown)",
            "(?:sender|senders|sender's|sending|client) (?:domain|host|ip)",
            "(?:domain|host) of (?:the )?sender",
            # Not the command in a transcript.
            r"\b(?:helo|ehlo)\b[^\n]{0,40}?(?:invalid|reject|not|unknown|denied|refused|malformed)",
            "(?:invalid|bad|illegal|unknown|malformed|missing) (?:helo|ehlo)",
            r"\bptr\b",
            r"\brdns\b",
            "reverse (?:dns|lookup|name|hostname|mapping)",
            r"\byour (?:ip|host|server|domain)\b",
            r"\bip(?:v[46])? address\b[^\n]{0,60}?(?:not|block|list|reject|denied|refused|no )",
            "access denied",
            "not (?:a )?member",
        ),
    ),
    (
        _SERVERS,
        words(
            "host (?:not found|unknown|or domain name)",
            "name (?:service|server|or service)",
            # Not the type of a name, as in `Reporting-MTA: dns; mx.client.example`.
            r"\bdns\b(?! ?;)",
            "mx (?:record|host|lookup)",
            "no mx",
            "(?:can|could) ?not (?:be )?resolve",
        ),
    ),
    (
        _FOR_NOW,
        words(
            "(?:mail)?box (?:is )?(?:full|size limit|exceeded)",
            "over ?quota",
            "quota (?:exceeded|is full)",
            "exceeded (?:the )?(?:storage|quota|mailbox)",
            "exceeds allocated storage",
            "out of storage",
            "insufficient (?:disk )?(?:space|storage)",
            "disk quota",
            "user .{0,60} full",
        ),
    ),
    (
        _CONTENT,
        words(
            "message (?:is )?too (?:large|big|long)",
            "message size",
            "size (?:limit|exceeds)",
            "exceeds (?:the )?(?:size|maximum)",
            "virus",
            "attachment (?:type|not)",
            "malformed message",
        ),
    ),
    (
        _NO_DOMAIN,
        words(
            "(?:unknown|no such|invalid|bad|inactive|unrouteable|non-?existent|illegal) "
            "(?:domain|host)",
            r"\b(?:domain|host)\b(?: name)?:?(?: [^\s;]{1,255})? does(?: not|n't) exist",
        ),
    ),
    (
        _GONE,
        words(
            r"(?:user|recipient|mailbox|address|account|alias|addressee|customer)\b[^.;\n]{0,60}?"
            r"(?:unknown|not (?:known|found|exist|listed|valid|active)|does ?n[o']?t exist|invalid"
            r"|no longer|disabled|inactive|suspended|rejected|unavailable|deactivated|expired)",
            "(?:unknown|no such|invalid|bad|inactive|unrouteable|non-?existent|illegal) (?:local )?"
            "(?:user|recipient|mailbox|address|account|alias|person|part)",
            "does(?: not|n't) (?:exist|have an? .{0,40}account)",
            "not a valid (?:mailbox|user|recipient)",
            "no mailbox",
            "not our customer",
            "no account",
            "not (?:listed|found) in",
            "no one by that name",
            "there is no one",
            "unknown or illegal alias",
            "has (?:moved|left)",
        ),
    ),
    (
        _SERVERS,
        words(
            "no route",
            "unable to route",
            "timed? ?out",
            "connection (?:refused|timed|reset|lost|died)",
            "loop",
            "too many hops",
            "could not connect",
            "unreachable",
            "temporary",
            "configuration error",
            "lookup",
        ),
    ),
)


def status_in(text: str) -> str | None:
    """Return the first enhanced status code of a failure in a text, or None.

    A code of the class 5 comes before one of the class 4.
    """
    found = [f"{m[1]}.{int(m[2])}.{int(m[3])}" for m in STATUS.finditer(text)]
    return next((code for kind in "54" for code in found if code[0] == kind), None)


def cause_of(status: str | None, words: str) -> Cause:
    """Return the cause of a bounce from its enhanced status and the server's words.

    A status that says nothing gives way to the words; without both, the servers are the cause.
    A status of class 4 is never permanent: a server gave up after attempts.
    """
    kind, _, detail = (status or "").partition(".")
    subject = detail.partition(".")[0]
    said = _said(words, subject)
    if status is None:
        return said or _SERVERS
    cause = _BY_DETAIL.get(detail) or _BY_SUBJECT.get(subject, _SERVERS)
    # Words like "address rejected" stand in refusals by policy, too.
    if said is not None and detail in _VAGUE and not (subject == "7" and said == _GONE):
        cause = said
    return replace(cause, is_permanent=False) if kind == "4" else cause


def _said(words: str, subject: str) -> Cause | None:
    """Return the cause that the words say, or None; `subject` is that of the status."""
    said = next((cause for cause, form in _WORDS if form.search(words)), None)
    return None if said is _NO_DOMAIN and subject != "1" else said
