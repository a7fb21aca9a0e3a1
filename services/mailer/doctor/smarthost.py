"""Checks of the SMTP server: a session up to MAIL, without a mail, and its certificate."""

from datetime import UTC, datetime, timedelta

from cryptography import x509

from services.mailer import app
from services.mailer.smtp.check import CheckFailed, check
from services.mailer.smtp.session import Session
from shared.doctor.checkup import Checkup
from shared.doctor.finding import Said, failure, ok, warning
from shared.process.settings import MailerSettings

_SOON = timedelta(days=14)
_STEPS = ("TLSv", "AUTH", "takes mails", "names no limit")
# What to do, by what the text of the fault has.
_REMEDIES = (
    ("no connection", "start it, or correct host and port in SMTP_URL; see also firewalls"),
    ("certificate has expired", "renew the certificate of the SMTP server"),
    ("certificate", "use the name of its certificate in SMTP_URL; SSL_CERT_FILE adds an authority"),
    ("TLS", "see Encryption in docs/smarthost.md"),
    ("STARTTLS", "see Encryption in docs/smarthost.md"),
    ("535", "correct user and password in SMTP_URL"),
    ("AUTH", "correct user and password in SMTP_URL"),
)
_ELSE = "run `ledgerpost-mailer check`, which prints each step; see docs/smarthost.md"


async def examine(checkup: Checkup, settings: MailerSettings) -> None:
    """Check the session of a mailer with these settings."""
    sessions: list[Session] = []
    await checkup.check("smtp.session", _session(settings, sessions))
    if sessions:
        await checkup.check("smtp.certificate", _certificate(settings, sessions[0]))


async def _session(settings: MailerSettings, sessions: list[Session]) -> Said:
    smarthost, sender = app.smarthost_from(settings), app.mail_from(settings)
    lines: list[str] = []
    try:
        await check(
            smarthost, app.ehlo_name(settings), sender, None, None, lines.append, sessions.append
        )
    except CheckFailed as error:
        text = str(error)
        return failure(text, next((what for sign, what in _REMEDIES if sign in text), _ELSE))
    return ok("; ".join(["MAIL accepted", *(line for line in lines if line.startswith(_STEPS))]))


async def _certificate(settings: MailerSettings, session: Session) -> Said:
    smarthost = app.smarthost_from(settings)
    if session.certificate is None:
        if smarthost.is_local:
            return ok("not encrypted, on this machine")
        return warning(
            "the session is not encrypted: statements can be read on their way",
            "use starttls=required in SMTP_URL, or smtps://, if the server offers TLS",
        )
    ends = x509.load_der_x509_certificate(session.certificate).not_valid_after_utc
    left = ends - datetime.now(UTC)
    found = f"valid until {ends:%Y-%m-%d}"
    verified = smarthost.tls in {"implicit", "starttls_required"}
    if left < timedelta(0):
        return warning(
            f"expired on {ends:%Y-%m-%d}; the mailer does not verify it (starttls=opportunistic)",
            "renew the certificate of the SMTP server, then use starttls=required",
        )
    if left < _SOON:
        return warning(found, "renew the certificate of the SMTP server")
    return ok(found if verified else f"{found}, not verified (starttls=opportunistic)")
