"""The commands about returned mail."""

from uuid import uuid4

import pytest

from tests.services.api.command import run
from tests.services.api.returns.conftest import Post
from tests.services.api.returns.posts import AWAY, GONE


@pytest.fixture
def said(golden: str) -> dict[str, str]:
    return {"DATABASE_URL": golden}


async def test_returned_mails_are_listed(post: Post, said: dict[str, str]) -> None:
    assert (await run("returns", "list", **said)).out == "there is no such returned mail\n"
    delivery = await post.handed_over()
    await post.add(GONE, post.paths.address(delivery))
    await post.add(AWAY)
    everything = await run("returns", "list", **said)
    assert everything.status == 0, everything.err
    assert everything.out.split()[:3] == ["id", "received", "business"]
    assert len(everything.out.splitlines()) == 3
    bounces = await run("returns", "list", "--kind", "bounce", **said)
    assert str(delivery) in bounces.out
    assert "bounced, suppressed" in bounces.out
    unmatched = await run("returns", "list", "--unmatched", **said)
    assert ("auto-reply" in unmatched.out, "bounce" in unmatched.out) == (True, False)
    assert "no such" in (await run("returns", "list", "--business", "2", **said)).out


async def test_a_returned_mail_is_shown_with_why_or_as_it_came(
    post: Post, said: dict[str, str]
) -> None:
    address = post.paths.address(await post.handed_over())
    made = (await post.add(GONE, address)).json
    shown = await run("returns", "show", made["id"], **said)
    lines = shown.out.splitlines()
    assert {f"recipient: {address}", "kind: bounce", f"mail: {len(GONE)} octets are kept"} <= {
        *lines
    }
    assert "why: A delivery status notification (RFC 3464) says that a server gave up" in shown.out
    raw = await run("returns", "show", made["id"], "--raw", **said)
    assert raw.out.encode() == GONE + b"\n"
    await post.db.execute("DELETE FROM returned_mails")
    erased = await run("returns", "show", made["id"], "--raw", **said)
    assert (erased.status, "no longer kept" in erased.err) == (1, True)
    assert "mail: erased" in (await run("returns", "show", made["id"], **said)).out


async def test_an_unknown_one_is_said_in_one_line(said: dict[str, str]) -> None:
    unknown = await run("returns", "show", str(uuid4()), **said)
    assert (unknown.status, unknown.out) == (1, "")
    assert "no such returned mail" in unknown.err
