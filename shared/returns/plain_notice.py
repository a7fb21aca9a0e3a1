"""Notices of mail servers in words of their own, from before RFC 3464 or beside it."""

import re

from shared.returns import automatic_reply, causes, sender
from shared.returns.causes import words
from shared.returns.parts import Header, Part, Returned
from shared.returns.verdict import Form, Kind, Scope, Verdict

_SUBJECT = words(
    "undeliver",
    "returned mail",
    "return(?:ed)? to sender",
    "delivery (?:is |was )?(?:status|report|fail|error|problem|notif|delay)",
    "failure notice",
    "failed delivery",
    "mail (?:delivery|system error|could not)",
    "non.?deliver",
    "unzustellbar",
    "could not (?:be )?deliver",
    "(?:delivery|message|mail) (?:has )?(?:failed|failure|error)",
    "nondeliverable",
    "can(?:no|')t (?:be )?(?:send|deliver)",
    "not (?:be )?delivered",
    "message status",
    "unable to deliver",
    "user unknown",
    "rejected",
    "mail error",
    "warning: ",
    "are not (?:a )?member",
    # Japanese: a notice of an error of mail, an error in transmission.
    "\u30e1\u30fc\u30eb\u30a8\u30e9\u30fc",
    "\u9001\u4fe1\u30a8\u30e9\u30fc",
)
_OPENING = words(
    "this is the (?:qmail-send program|mail system|postfix)",
    "could not be delivered",
    "delivery (?:has )?failed",
    "was not delivered",
    "created automatically by",
    "unable to deliver",
    "undeliverable",
    "failed permanently",
    "did not reach",
    "returned (?:to you )?(?:by|because|for)",
    "fatal errors",
    "permanent error",
    "transcript of session",
    "wasn't able to deliver",
    "not been delivered",
    "could not deliver",
    "cannot be delivered",
    "delivery error",
    "error message below:",
    # The refusal of a mailing list.
    "you are not a member of this mailing list",
)
_DELAYED = words(
    r"(?:will|is going to|being) (?:be )?(?:continue|keep|re)-?\s?(?:tr|attempt)",
    "still (?:trying|being)",
    "no action is required",
    "not yet (?:been )?delivered",
    "will (?:continue|keep|retry|be retried|try)",
    "delivery (?:is |has been |was )?(?:temporarily )?delayed",
    "delayed mail",
    "do not need to resend",
    "has been delayed",
    "temporarily (?:deferred|unable)",
)
# A mail that says one of these is a delay, whatever reply of a server it quotes.
_DELAYED_ONLY = words(
    "no action is required",
    "do(?:es)? not need to re-?send",
    "this is (?:only )?a warning",
    "warning message only",
)
_SUCCESS = words(
    "success(?:fully|ful)? (?:been )?(?:delivered|delivery|relayed|sent)",
    r"\((?:success|relayed?|delivered|expanded)\)",
    "(?:has been|was|were) (?:successfully )?(?:delivered|relayed|expanded)",
)
# Whoever asks such a question (challenge and response) has not refused the mail.
_QUESTION = words(
    "(?:confirm|verify|prove) (?:that )?(?:you|your|this)",
    "captcha",
    "click (?:on )?(?:the|this|here)",
    "(?:please|just|simply) (?:reply|respond) to this (?:message|mail|e-?mail)",
)
_NO_REPLY = re.compile(r"\bno-?reply@", re.IGNORECASE)
_GIVEN_UP = words(
    "gave up",
    "giving up",
    "given up",
    "permanent",
    "final(?:ly)? fail",
    "has failed",
    "retry time(?:out)? exceeded",
    "expired",
    "failed after",
    "too long in",
    "could not be delivered for more",
)
_COPY = re.compile(
    r"^(?:-{2,}|={2,}|_{2,}|>)?[ \t]*"
    r"(?:(?:below this line|this|here) is a copy|original message|message header"
    r"|returned (?:message|mail)|your message (?:follows|headers)|included is a copy"
    r"|unsent message|message text|return-path:|received: )",
    re.MULTILINE | re.IGNORECASE,
)
_READ_CHARS, _OPENING_CHARS = 16_000, 4_000
_SIGNS_LEAST = 2  # of a notice; one alone may be a person's
_NOTICE_CHARS_LEAST = 40  # before a copy of the mail


def verdict(mail: Returned) -> Verdict | None:
    """Return what a mail server says in its own words, or None if the mail is no such notice."""
    text = "\n".join(part.text[:_READ_CHARS] for part in mail.parts if _is_notice(part))
    own = _without_copy(text)
    if not _is_of_a_server(mail, own):
        return None
    status = causes.status_in(own)
    begun = f"{mail.header.first('subject')}\n{own[:_OPENING_CHARS]}"
    is_final = _GIVEN_UP.search(own[:_OPENING_CHARS]) or (status or "").startswith("5")
    if _DELAYED_ONLY.search(begun) or (_DELAYED.search(begun) and not is_final):
        return Verdict(
            Kind.DELAY, Scope.TRANSIENT, status=status, diagnostic=_said(own), form=Form.NOTICE
        )
    cause = causes.cause_of(status, own)
    return Verdict(
        Kind.BOUNCE,
        cause.scope,
        is_permanent=cause.is_permanent,
        status=status,
        diagnostic=_said(own),
        form=Form.NOTICE,
    )


def _is_of_a_server(mail: Returned, text: str) -> bool:
    """Return whether a mail server wrote the mail about a mail that it did not deliver.

    Two signs are needed: that it says so in its subject, its opening or X-Failed-Recipients, and
    who wrote it.
    """
    header = mail.header
    names_failed = "x-failed-recipients" in header.fields
    is_server, has_empty_path = sender.is_server(header), sender.has_empty_path(header)
    opens = _OPENING.search(_unquoted(text[:_OPENING_CHARS])) is not None
    is_titled = _SUBJECT.search(header.first("subject")) is not None
    has_reply = _said(_unquoted(text)) is not None
    if _is_another_program(header, text, has_reply=has_reply or names_failed):
        return False
    if sender.is_answer(header) and not (is_server and opens and has_reply):
        return False
    has_copy = _COPY.search(text) is not None or any(mail.of_type("message/rfc822"))
    is_written = (
        is_server
        or names_failed
        or (has_empty_path and (has_reply or has_copy))
        or (_NO_REPLY.search(header.first("from")) is not None and opens and has_copy)
        or ("x-mlserver" in header.fields and opens and is_titled)
    )
    return is_written and (opens or is_titled or names_failed)


def _is_another_program(header: Header, text: str, *, has_reply: bool) -> bool:
    """Return whether it is a program's answer for a person, a question, or about a success."""
    if automatic_reply.is_for_a_person(header) or _QUESTION.search(text[:_OPENING_CHARS]):
        return not has_reply or not sender.is_server(header)
    begun = f"{header.first('subject')}\n{text[:_OPENING_CHARS]}"
    return _SUCCESS.search(begun) is not None and not has_reply


def _unquoted(text: str) -> str:
    """Return the text without the lines that it quotes from another mail."""
    return re.sub(r"^[ \t]*(?:>(?!>> )|[|]).*$", "", text, flags=re.MULTILINE)


def _is_notice(part: Part) -> bool:
    is_text = part.type.startswith("text/") and part.type != "text/rfc822-headers"
    return is_text and not part.is_quoted


def _without_copy(text: str) -> str:
    """Return the notice without the copy of the mail below it, whose words mean nothing here."""
    copy = _COPY.search(text)
    return text if copy is None or copy.start() < _NOTICE_CHARS_LEAST else text[: copy.start()]


def _said(text: str) -> str | None:
    """Return the line that has the server's reply, or None."""
    for line in text.split("\n"):
        if causes.STATUS.search(line) or re.search(r"(?<![0-9.])[45][0-5][0-9][ -]", line):
            return causes.diagnostic_of(line)
    return None
