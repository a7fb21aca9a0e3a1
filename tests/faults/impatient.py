"""The mailer's program with the timeouts of RFC 5321 reduced from minutes to seconds."""

from functools import partial

from services.mailer import app
from services.mailer.__main__ import main
from services.mailer.smtp import outcomes
from shared.amqp.breaker import Pauses

app.Timeouts = partial(  # type: ignore[misc,assignment]  # called as the class would be
    app.Timeouts, ready=5, mail=5, rcpt=3, data=3, block=3, to_gate=30, reuse=3
)
outcomes.SmarthostAtFault.pauses = outcomes.PasswordRefused.pauses = Pauses(0.2, 0.2)
outcomes.RefusesAll.pauses = Pauses(0.2, 0.4, trial=True)

if __name__ == "__main__":
    main()
