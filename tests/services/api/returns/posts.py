"""Returned mails as the tests of the API post them."""

from tests.shared.returns.mails import failure, feedback, letter, report

PATH = "/api/v3/returns"
SECRET = "a secret of the tests, long enough for it"
DOMAIN = "bounces.example"

GONE = report(failure("5.1.1", "550 5.1.1 user unknown"))
FULL = report(failure("5.2.2", "552 5.2.2 mailbox full"))
DELAY = report(failure("4.4.1", "timed out", action="delayed"))
COMPLAINT = feedback("Feedback-Type: abuse")
AWAY = letter("Automatic reply: on holiday")
