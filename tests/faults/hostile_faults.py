"""Hostile names, texts and addresses."""

from email.headerregistry import AddressHeader
from random import Random

from tests.faults.cases import fault
from tests.faults.world import World

_ENDS = {
    "crlf": "\r\n",
    "cr": "\r",
    "lf": "\n",
    "line-separator": "\u2028",
    "vertical-tab": "\x0b",
    "next-line": "\x85",
}
_INJECTED = "\r\nBcc: victim@x.example\r\n\r\nX"


@fault("fault-20-line-breaks-in-names", *_ENDS)
async def line_breaks(world: World, rng: Random, variant: str) -> None:
    evil = f"Evil{_INJECTED.replace(chr(13) + chr(10), _ENDS[variant])}"
    await world.fetch(
        "UPDATE businesses SET name = $1, email = $2 WHERE id = 1", evil, f"a@b.example{evil}"
    )
    await world.fetch(
        "UPDATE customers SET business_name = $1, first_name = $1, last_name = $1"
        " WHERE business_id = 1",
        evil,
    )
    world.relay()
    world.mailer()
    await world.send(1, message=evil)
    await world.settled()
    assert len(world.judge.accepted) == 2
    for mail in world.judge.accepted:
        message = mail.message
        assert message["Bcc"] is None
        assert {name for name in message if name.startswith(("Evil", "X"))} == {
            "X-Ledgerpost-Delivery",
            "X-Ledgerpost-Send",
        }
        to = message["To"]
        assert isinstance(to, AddressHeader)
        assert [address.addr_spec for address in to.addresses] == [mail.recipient]
        assert "victim@x.example" not in {str(value) for value in message.values()}
    assert not any("victim" in command for command in world.judge.commands)


@fault("fault-20-hostile-requests")
async def refused(world: World, rng: Random) -> None:
    for others in (
        ["a@x.example\r\nBcc: b@x.example"],
        ["a@x.example\0"],
        ["a@x.example>, <b@x.example"],
        ["a@x.example b@x.example"],
        ["Name <a@x.example>"],
        ["@"],
        [f"{'a' * 300}@x.example"],
        [f"r{number}@x.example" for number in range(10_000)],
        ["a@x.example", 1],
    ):
        assert await _status(world, other_emails=others) == 422, others
    assert await _status(world, message="a\0b") == 422
    assert await _status(world, message="x" * 10_001) == 422
    assert (await world.fetch("SELECT count(*) FROM sends"))[0][0] == 0
    # An address that others wrote into the ledger is left out, and says so.
    evil = "esi@customers.example.com\r\nBcc: victim@x.example"
    await world.fetch("UPDATE customers SET business_email = $1 WHERE id = 5", evil)
    asked = await world.ask(5, other_emails=["ann@x.example"])
    assert [skipped["email"] for skipped in asked["skipped"]] == [evil]
    # And one that is right, with one recipient in many spellings.
    world.relay()
    world.mailer()
    written = [rng.choice([str.upper, str.lower, str.title])("Ann@X.example") for _ in range(800)]
    send = await world.send([*written, "ESI@Customers.Example.COM"])
    await world.settled()
    assert len(await world.show(send)) == 2
    assert len(world.judge.accepted) == 3
    assert not any("victim" in command for command in world.judge.commands)


@fault("fault-20-international-addresses", "with-smtputf8", "without-smtputf8")
async def international(world: World, rng: Random, variant: str) -> None:
    world.judge.smtputf8 = variant == "with-smtputf8"
    world.judge.pipelining = rng.random() < 0.5
    world.relay()
    world.mailer()
    send = await world.send(["ann@bücher.example", "ann@xn--bcher-kva.example", "jürgen@x.example"])
    await world.settled()
    shown = await world.show(send)
    assert shown["ann@bücher.example"]["state"] == "sent"
    assert len(shown) == 3, "both ways to write the domain are one recipient"
    local = shown["jürgen@x.example"]
    assert local["state"] == ("sent" if world.judge.smtputf8 else "failed")
    assert world.judge.smtputf8 or local["reason"] == "the smarthost lacks SMTPUTF8"
    assert "ann@xn--bcher-kva.example" in {mail.recipient for mail in world.judge.accepted}


async def _status(world: World, **body: object) -> int:
    async with world.http.post(
        "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30", json=body
    ) as response:
        return response.status
