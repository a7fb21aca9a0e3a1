"""Sessions that cannot be opened have a code, and old servers are greeted with HELO."""

from dataclasses import replace
from typing import Any

import pytest

from services.mailer.smtp.outcomes import (
    Sent,
    SmarthostAtFault,
)
from shared.deliveries.reasons import ReasonCode
from tests.judge.mail import PATIENT, Gate, envelope, pool
from tests.judge.script import Hang, Reset, Say
from tests.judge.server import Judge


@pytest.mark.parametrize(
    ("at", "action", "fields", "code"),
    [
        ("connect", Say("554 not you"), {}, ReasonCode.SMARTHOST_REFUSED),
        ("connect", Say("450 later"), {}, ReasonCode.SMARTHOST_BUSY),
        ("connect", Say("what?"), {}, ReasonCode.SMARTHOST_PROTOCOL_ERROR),
        ("connect", Hang(), {}, ReasonCode.SMARTHOST_TIMEOUT),
        ("connect", Reset(), {}, ReasonCode.CONNECTION_LOST),
        ("ehlo", Say("250 judge"), {"tls": "starttls_required"}, ReasonCode.SMARTHOST_TLS_FAILED),
    ],
)
async def test_a_session_that_cannot_be_opened_has_a_code(
    judge: Judge, at: str, action: Any, fields: dict[str, Any], code: ReasonCode
) -> None:
    judge.on(at, action)
    sessions = pool(judge, timeouts=replace(PATIENT, ready=1), **fields)
    with pytest.raises(SmarthostAtFault) as caught:
        await sessions.hand_over(envelope(), Gate())
    assert caught.value.code is code


async def test_a_port_where_nothing_listens_has_a_code(judge: Judge) -> None:
    sessions = pool(judge)
    await judge.stop()
    with pytest.raises(SmarthostAtFault) as caught:
        await sessions.hand_over(envelope(), Gate())
    assert caught.value.code is ReasonCode.SMARTHOST_UNREACHABLE


async def test_helo_serves_where_ehlo_is_not_known(judge: Judge) -> None:
    judge.on("ehlo", Say("502 5.5.1 what?"))
    sessions = pool(judge)
    assert isinstance(await sessions.hand_over(envelope(), Gate()), Sent)
    await sessions.close()
