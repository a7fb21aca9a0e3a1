"""The login to the smarthost, which does not lock the account after a wrong password."""

import asyncio

import aiosmtplib

from services.mailer.smtp.outcomes import SmarthostAtFault
from shared.deliveries.reasons import ReasonCode

# RFC 4954: the mechanism is not for this user, unknown, or too weak; another one may do.
_TRY_ANOTHER = frozenset({500, 501, 502, 504, 534, 538})


class Login:
    """Logs all sessions of a mailer in as one user; they try its password one after the other."""

    def __init__(self) -> None:
        #: How often the password was refused.
        self.refused = 0
        self._turn = asyncio.Lock()
        self._last: aiosmtplib.SMTPAuthenticationError | None = None

    async def __call__(
        self, client: aiosmtplib.SMTP, user: str, password: str, *, encrypted: bool, known: int
    ) -> str:
        """Log in and return the mechanism that was used.

        Raises SmarthostAtFault if no mechanism fits, and what aiosmtplib raises.

        If the password was refused more than `known` times by now, raises the last refusal untried.
        """
        async with self._turn:
            if self._last is not None and self.refused > known:
                raise self._last
            try:
                return await _log_in(client, user, password, encrypted=encrypted)
            except aiosmtplib.SMTPAuthenticationError as refusal:
                self.refused += 1
                self._last = refusal
                raise


async def _log_in(client: aiosmtplib.SMTP, user: str, password: str, *, encrypted: bool) -> str:
    if not client.supports_extension("auth"):
        raise _impossible("it offers no AUTH, and SMTP_URL has a user")
    ways = {
        "plain": client.auth_plain,
        "login": client.auth_login,
        # Hides the password, but no server can do it that stores only the hash of the password.
        "cram-md5": client.auth_crammd5,
    }
    order = list(ways) if encrypted else ["cram-md5", "plain", "login"]
    refusal: aiosmtplib.SMTPException | None = None
    for way in (way for way in order if way in client.server_auth_methods):
        try:
            await ways[way](user, password)
        except aiosmtplib.SMTPAuthenticationError as error:
            refusal = error
            if error.code not in _TRY_ANOTHER:
                break
        else:
            return way.upper()
    raise refusal or _impossible("it offers none of AUTH PLAIN, LOGIN, CRAM-MD5")


def _impossible(why: str) -> SmarthostAtFault:
    return SmarthostAtFault(why, ReasonCode.SMARTHOST_LOGIN_REFUSED)
