"""The meaning of refusals: try later, give up, or the smarthost and not the mail is at fault."""

import re
from dataclasses import dataclass
from typing import Final

from services.mailer.smtp.outcomes import Blame, Deferred, Failed
from services.mailer.smtp.replies import Reply
from services.mailer.smtp.reply_codes import reason_code

# RFC 3463: mailbox, system or syntax of the address is bad, mailbox has moved, null MX.
_NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
_MAIL, _SMARTHOST, _UNCLEAR = Blame.MAIL, Blame.SMARTHOST, Blame.UNCLEAR


@dataclass(frozen=True, slots=True)
class Rule:
    """Applies to a reply that all of its patterns match: `status` is the RFC 3463 code or ""."""

    blame: Blame
    stage: str = ""
    code: str = ""
    status: str | None = None
    words: str = ""

    def applies(self, stage: str, reply: Reply) -> bool:
        """Return whether this rule decides a reply at a stage."""
        return (
            re.match(self.stage, stage) is not None
            and re.match(self.code, str(reply.code)) is not None
            and (self.status is None or re.fullmatch(self.status, reply.enhanced) is not None)
            and re.search(self.words, reply.text, re.IGNORECASE) is not None
        )


#: The first rule that applies decides; the last applies to every reply.
RULES: Final = (
    # Postfix names what it rejects, whatever the code.
    Rule(_SMARTHOST, words=r"(sender address|helo command|ehlo command|client host) rejected"),
    Rule(_MAIL, status=r"5\.5\.\d+|", words=r"recipient address rejected"),
    # Decided by the status alone: the sender, a day's quota, the protocol, configuration, login.
    Rule(_SMARTHOST, status=r"5\.1\.[78]|5\.2\.252|5\.4\.5|5\.5\.\d+|5\.3\.[25]"),
    Rule(_SMARTHOST, status=r"5\.7\.(3|8|9|1[0-4]|57|60|501|708|750)"),
    Rule(_MAIL, status=r"5\.1\.\d+|5\.2\.\d+|5\.4\.\d+|5\.6\.\d+|5\.3\.[34]"),
    # Below are policies (5.7), statuses that mean just "no" (5.0, 5.3), and replies without status.
    Rule(_SMARTHOST, words=r"\b(helo|ehlo)\b|need fully-qualified hostname"),
    Rule(_SMARTHOST, words=r"authenticat(e|ion) (first|required|is required)|not authenticated"),
    Rule(_SMARTHOST, words=r"sender (verify|verification|domain|identity)\b.*\b(fail|not|reject)"),
    Rule(_SMARTHOST, words=r"\bsend(ing)? (as|on behalf)\b|unauthenticated senders?"),
    Rule(_SMARTHOST, words=r"\b(from|sender) address\b.*\b(not|reject|denied|does)"),
    Rule(_MAIL, status=r"", words=r"\bmailbox\b|over quota"),
    Rule(_SMARTHOST, words=r"\b(daily|hourly|sending|outgoing|outbound)\b.*\b(limit|quota)\b"),
    Rule(_SMARTHOST, words=r"\b(limit|quota)\b.*\b(sending|outgoing|per (day|hour|minute))\b"),
    Rule(_SMARTHOST, words=r"too many (e-?mails|messages)|\brate limit"),
    Rule(_UNCLEAR, status=r"5\.\d+\.\d+"),
    # No status at all: the code's meaning in RFC 5321.
    Rule(_MAIL, stage=r"RCPT", code=r"501"),
    Rule(_SMARTHOST, code=r"50[0-4]|521|53\d|555"),
    Rule(_UNCLEAR, words=r"polic(y|ies)|spam|block|blacklist|reputation|denied|relay"),
    Rule(_MAIL, code=r"55[01236]"),
    Rule(_UNCLEAR),
)


def blame(stage: str, reply: Reply) -> Blame:
    """Return what a 5xx reply at a stage after MAIL is about."""
    return next(rule.blame for rule in RULES if rule.applies(stage, reply))


def refusal(stage: str, reply: Reply) -> Deferred | Failed:
    """Say what any reply but success means at a stage from MAIL to the end of the data."""
    code = reason_code(stage, reply)
    if reply.permanent:
        suppress = stage == "RCPT" and reply.enhanced in _NO_SUCH_ADDRESS
        to_blame = blame(stage, reply)
        return Failed(f"refused at {stage}", str(reply), suppress, to_blame, code=code)
    if reply.transient:
        return Deferred(f"put off at {stage}", str(reply), code=code)
    return Deferred(f"unexpected reply at {stage}", str(reply), code=code)
