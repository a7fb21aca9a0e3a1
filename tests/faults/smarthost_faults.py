"""The smarthost refuses all mails for a while: for our name, sender, quota or password."""

from random import Random

from tests.faults.cases import fault
from tests.faults.world import World
from tests.judge.script import Say, Step

_SAID: dict[str, tuple[Step, str]] = {
    "ehlo": ("rcpt", "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname"),
    "sender": ("rcpt", "554 5.7.1 <x@y.example>: Sender address rejected: Access denied"),
    "quota": ("dot", "550 5.4.5 Daily user sending limit exceeded"),
    "policy": ("data", "554 5.7.1 not today"),
}


@fault("fault-21-refuses-everybody", *_SAID)
async def refuses_everybody(world: World, rng: Random, variant: str) -> None:
    """No mail fails, and all go out after the smarthost recovers."""
    step, said = _SAID[variant]
    mails = (200 if world.full else 20) + rng.randrange(10)
    after = rng.randrange(5)
    rule = world.judge.on(step, Say(said), skip=after)
    world.relay()
    world.mailer(impatient=True)
    await world.send(mails - 1)
    await world.met(rule, after + 10)
    assert not await world.count("state = 'failed'")
    tried = rule.met
    world.judge.rules.clear()
    await world.settled()
    assert tried < after + mails, "not every mail had to try"
    assert await world.count("state = 'sent'") == mails
    # A policy may be about its first mail alone, so that one may count.
    assert await world.count("attempts > 1") <= (variant == "policy")


@fault("fault-21-password-refused-then-mended")
async def password_refused(world: World, rng: Random) -> None:
    world.judge.users = {"user": "another"}
    world.relay()
    smarthost = f"smtp://user:secret@127.0.0.1:{world.judge.port}"
    world.mailer(impatient=True, SMTP_URL=smarthost)
    await world.send(others := rng.randrange(20, 40))

    async def refused() -> bool:
        return len(_logins(world)) >= 3

    await world.until(refused, "the password was refused")
    assert not await world.count("attempts > 0")
    assert {login.split()[1] for login in _logins(world)} == {"PLAIN"}
    world.judge.users = {"user": "secret"}
    await world.settled()
    assert await world.count("state = 'sent' AND attempts = 1") == 1 + others


def _logins(world: World) -> list[str]:
    return [command for command in world.judge.commands if command.startswith("AUTH")]
