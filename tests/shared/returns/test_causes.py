"""The cause of a bounce, by status and words; in doubt, nobody is suppressed."""

import pytest

from shared.returns.causes import Cause, cause_of
from shared.returns.verdict import Scope

GONE = Cause(Scope.RECIPIENT, is_permanent=True)
FULL = Cause(Scope.RECIPIENT, is_permanent=False)
POLICY = Cause(Scope.POLICY, is_permanent=False)
SERVERS = Cause(Scope.INFRASTRUCTURE, is_permanent=False)
CAUSES: list[tuple[str | None, str, Cause]] = [
    # Refusals by policy, whatever words stand beside them.
    ("5.7.0", "Your IP address is not listed in our whitelist", POLICY),
    ("5.7.0", "account suspended", POLICY),
    ("5.7.0", "user unknown", POLICY),
    ("5.7.1", "no such user", POLICY),
    ("5.7.0", "unknown host", POLICY),
    ("5.7.0", "mailbox full", FULL),
    # What is said about the sender, with a vague status or none.
    ("5.0.0", "HELO: invalid domain", POLICY),
    ("5.0.0", "Invalid HELO name: no such host", POLICY),
    ("5.5.0", "EHLO argument does not exist", POLICY),
    ("5.0.0", "Sender domain does not exist", POLICY),
    ("5.0.0", "The domain of the sender does not exist", POLICY),
    ("5.0.0", "sender's domain not found in DNS", POLICY),
    ("5.0.0", "IP address 192.0.2.1 is not listed in our list of senders", POLICY),
    ("5.0.0", "Client IP address not found in PTR", POLICY),
    (None, "Reverse DNS lookup failed: unknown host", POLICY),
    (None, "550 no PTR record: address unknown", POLICY),
    (None, "Your IP address 192.0.2.1 does not exist in reverse DNS", POLICY),
    # The DNS.
    ("5.4.0", "unknown host", SERVERS),
    ("5.4.1", "no such domain", SERVERS),
    ("5.4.0", "Domain client.example does not exist", SERVERS),
    ("5.0.0", "all relevant MX records point to non-existent hosts", SERVERS),
    ("5.0.0", "DNS error: user's domain does not exist", SERVERS),
    ("5.0.0", "no such domain", SERVERS),
    ("5.3.0", "unknown host client.example", SERVERS),
    (None, "unknown host", SERVERS),
    (None, "The recipient's domain name could not be resolved: address not found", SERVERS),
    ("5.1.2", "Host unknown (Name server: client.example: host not found)", SERVERS),
    # The recipient.
    ("5.1.2", "no such domain", GONE),
    ("5.1.2", "Bad destination system address", GONE),
    ("5.1.0", "no such domain", GONE),
    ("5.4.1", "no such user", GONE),
    ("5.4.0", "Recipient address rejected: user unknown", GONE),
    ("5.0.0", "no such user", GONE),
    ("5.0.0", "mx.client.example said: user ana@client.example does not exist", GONE),
    (None, "550 user unknown (Reporting-MTA: dns; mx.client.example)", GONE),
    (None, "account suspended", GONE),
    ("5.1.1", "Reverse DNS", GONE),
]


@pytest.mark.parametrize(("status", "words", "cause"), CAUSES)
def test_the_cause_of_a_bounce(status: str | None, words: str, cause: Cause) -> None:
    assert cause_of(status, words) == cause


@pytest.mark.parametrize(
    "words", [words for status, words, cause in CAUSES if cause == GONE and status != "5.1.1"]
)
@pytest.mark.parametrize("detail", range(100))
def test_no_words_make_a_refusal_by_policy_say_that_a_recipient_is_gone(
    words: str, detail: int
) -> None:
    assert not cause_of(f"5.7.{detail}", words).is_permanent
