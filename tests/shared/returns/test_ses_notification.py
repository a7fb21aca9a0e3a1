"""Notifications of Amazon SES by mail."""

import json
from typing import Any

import pytest

from shared.returns.understand import understand
from shared.returns.verdict import Form, Kind, Scope, Verdict
from tests.shared.returns.mails import letter

GONE = {
    "emailAddress": "Ana@client.example",
    "status": "5.1.1",
    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
}
FULL = {"emailAddress": "bob@client.example", "status": "5.2.2", "diagnosticCode": "x"}


def notification(said: Any, fields: tuple[str, ...] = ("x-amz-sns-message-id: 1",)) -> bytes:
    text = f"{json.dumps(said)}\n\n--\nIf you wish to stop receiving notifications, click here."
    return letter("AWS Notification Message", text, fields)


def bounce(kind: str, *recipients: Any) -> dict[str, Any]:
    found = {"bounceType": kind, "bouncedRecipients": list(recipients)}
    return {"notificationType": "Bounce", "bounce": found}


def test_a_bounce_speaks_of_the_recipient_of_the_mail() -> None:
    mail = notification(bounce("Permanent", FULL, GONE))
    assert understand(mail, "ana@client.example") == Verdict(
        Kind.BOUNCE,
        Scope.RECIPIENT,
        is_permanent=True,
        status="5.1.1",
        diagnostic="550 5.1.1 user unknown",
        form=Form.SES_NOTIFICATION,
    )
    assert understand(mail, "bob@client.example").status == "5.2.2"


def test_a_transient_bounce_is_never_permanent() -> None:
    """Out-of-office replies come as transient bounces."""
    assert not understand(notification(bounce("Transient", GONE))).is_permanent


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"notificationType": "Delivery"}, Kind.UNKNOWN),
        ({"eventType": "DeliveryDelay"}, Kind.DELAY),
        ({"notificationType": "Complaint", "complaint": {}}, Kind.COMPLAINT),
        (
            {"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}},
            Kind.UNKNOWN,
        ),
        (bounce("Permanent"), Kind.BOUNCE),
        (bounce("Permanent", 7, {"status": 5}), Kind.BOUNCE),
        ({"notificationType": "Bounce", "bounce": 7}, Kind.BOUNCE),
        ({"notificationType": ["Bounce"]}, Kind.UNKNOWN),
        ([bounce("Permanent", GONE)], Kind.UNKNOWN),
    ],
)
def test_other_notifications(said: Any, kind: Kind) -> None:
    assert understand(notification(said)).kind is kind


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "{", '{"a": 1e999999}'])
def test_damaged_json_says_nothing(text: str) -> None:
    assert understand(letter("AWS", text, ("x-amz-sns-message-id: 1",))) == Verdict(Kind.UNKNOWN)


def test_the_mail_of_another_sender_is_no_notification() -> None:
    assert understand(notification(bounce("Permanent", GONE), ())) == Verdict(Kind.UNKNOWN)
