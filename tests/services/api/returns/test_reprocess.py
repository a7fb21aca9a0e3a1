"""A returned mail is understood again, and what that adds is carried out once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from shared.mail.return_path import ReturnPaths
from shared.returns import intake
from shared.returns.verdict import Kind, Scope, Verdict
from tests.services.api.command import run
from tests.services.api.ledgers import new_key
from tests.services.api.returns.conftest import Post
from tests.services.api.returns.posts import COMPLAINT, DOMAIN, FULL, GONE, PATH, SECRET

UNKNOWN = Verdict(Kind.UNKNOWN)
FOR_NOW = Verdict(Kind.BOUNCE, Scope.RECIPIENT)
NOTES = "SELECT reprocessed_by, why, former_kind, effect FROM reprocessed_returns ORDER BY id"
SUPPRESSED = "SELECT count(*) FROM suppressions"
BOUNCED_EVENTS = "SELECT count(*) FROM delivery_events WHERE state IN ('bounced', 'complained')"


@contextmanager
def rules_of_before(verdict: Verdict) -> Iterator[None]:
    """Within the `with`, all mails that are taken in are understood so."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(intake, "understand", lambda *_: verdict)
        yield


async def posted(post: Post, raw: bytes, former: Verdict, state: str = "sent") -> tuple[str, str]:
    """Return the ids of a return that was understood so, and of its delivery."""
    delivery = await post.handed_over(state)
    with rules_of_before(former):
        made = (await post.add(raw, post.paths.address(delivery))).json
    assert (made["kind"], made["delivery_id"]) == (former.kind, str(delivery))
    return made["id"], str(delivery)


@pytest.mark.parametrize(
    ("raw", "former", "state", "effect"),
    [
        (GONE, UNKNOWN, "bounced", ["bounced", "suppressed"]),
        (FULL, UNKNOWN, "bounced", ["bounced"]),
        (COMPLAINT, UNKNOWN, "complained", ["complained", "suppressed"]),
        (GONE, FOR_NOW, "bounced", ["bounced", "suppressed"]),
        (b"Subject: hello\n\nHello!\n", FOR_NOW, "bounced", ["bounced"]),
    ],
    ids=["gone", "full", "complaint", "gone-for-good", "weaker"],
)
async def test_what_the_new_result_adds_is_carried_out_once(
    post: Post, raw: bytes, former: Verdict, state: str, effect: list[str]
) -> None:
    made, delivery = await posted(post, raw, former)
    for _ in range(2):
        answer = await post.api.post(f"{PATH}/{made}/reprocess?why=new+rules")
        assert answer.status == 200, answer.text
        assert answer.json["effect"] == effect
        assert answer.json == (await post.api.get(f"{PATH}/{made}")).json
    found = await post.db.fetchval("SELECT state FROM deliveries WHERE id::text = $1", delivery)
    assert found == state
    assert await post.db.fetchval(SUPPRESSED) == ("suppressed" in effect)
    assert await post.db.fetchval(BOUNCED_EVENTS) == 1
    [note] = await post.db.fetch(NOTES)
    assert note["reprocessed_by"].startswith("key ")
    assert (note["why"], note["former_kind"]) == ("new rules", former.kind)


async def test_a_lifted_suppression_stays_lifted(post: Post) -> None:
    made, _ = await posted(post, GONE, UNKNOWN)
    await post.api.post(f"{PATH}/{made}/reprocess")
    assert (await post.api.ask("DELETE", "/api/v3/suppressions/ana@client.example")).status == 204
    again = await post.api.post(f"{PATH}/{made}/reprocess")
    assert again.json["effect"] == ["bounced", "suppressed"]
    assert await post.db.fetchval(SUPPRESSED) == 0


async def test_one_that_is_understood_as_before_notes_nothing(post: Post) -> None:
    delivery = await post.handed_over()
    made = (await post.add(GONE, post.paths.address(delivery))).json
    again = await post.api.post(f"{PATH}/{made['id']}/reprocess")
    assert {**again.json, "why": None} == {**made, "why": None}
    assert await post.db.fetch(NOTES) == []


async def test_a_mail_that_is_no_longer_kept_is_a_conflict(post: Post) -> None:
    made, delivery = await posted(post, GONE, UNKNOWN)
    await post.db.execute("DELETE FROM returned_mails")
    answer = await post.api.post(f"{PATH}/{made}/reprocess")
    assert (answer.status, "no longer kept" in answer.json["detail"]) == (409, True)
    found = await post.db.fetchval("SELECT state FROM deliveries WHERE id::text = $1", delivery)
    assert found == "sent"


async def test_the_mail_that_came_back_may_be_handed_over_again(post: Post) -> None:
    made, _ = await posted(post, GONE, UNKNOWN)
    await post.db.execute("UPDATE deliveries SET state = 'committing', sent_at = NULL")
    answer = await post.api.post(f"{PATH}/{made}/reprocess")
    assert (answer.status, "Retry-After" in answer.headers) == (503, True)
    assert (await post.api.get(f"{PATH}/{made}")).json["kind"] == "unknown"


async def test_another_business_and_a_key_without_the_scope_do_nothing(
    post: Post, golden: str
) -> None:
    made, _ = await posted(post, GONE, UNKNOWN)
    other = await new_key(golden, 2)
    assert (await post.api.post(f"{PATH}/{made}/reprocess", key=other)).status == 404
    weak = await new_key(golden, 1, "transactions:send")
    assert (await post.api.post(f"{PATH}/{made}/reprocess", key=weak)).status == 403
    assert (await post.api.post(f"{PATH}/{uuid4()}/reprocess")).status == 404
    assert (await post.api.get(f"{PATH}/{made}")).json["kind"] == "unknown"


async def test_an_unmatched_mail_finds_its_delivery(post: Post, golden: str) -> None:
    """With the secret of before, for example, which the server had lost."""
    delivery = await post.handed_over()
    raw = f"Delivered-To: {post.paths.address(delivery)}\n".encode() + GONE
    other = ReturnPaths("another secret of the tests, long enough", DOMAIN)
    made = (await post.add(raw, other.address(delivery))).json
    assert made["delivery_id"] is None
    await post.db.execute("UPDATE returns SET recipient = NULL")
    again = await post.api.post(f"{PATH}/{made['id']}/reprocess")
    assert (again.json["delivery_id"], again.json["effect"]) == (
        str(delivery), ["bounced", "suppressed"],
    )  # fmt: skip
    assert await post.state(delivery) == "bounced"


async def test_an_unmatched_mail_never_finds_the_delivery_of_another_business(
    post: Post,
) -> None:
    delivery = await post.handed_over(business=2)
    made = (await post.add(GONE)).json
    await post.db.execute("UPDATE returns SET recipient = $1", post.paths.address(delivery))
    again = await post.api.post(f"{PATH}/{made['id']}/reprocess")
    assert again.json["delivery_id"] is None
    assert await post.state(delivery) == "sent"


async def test_an_unmatched_copy_stays_one(post: Post) -> None:
    delivery = await post.handed_over()
    await post.add(GONE, post.paths.address(delivery))
    made = (await post.add(GONE)).json
    await post.db.execute(
        "UPDATE returns SET recipient = $1 WHERE delivery_id IS NULL", post.paths.address(delivery)
    )
    assert (await post.api.post(f"{PATH}/{made['id']}/reprocess")).json["delivery_id"] is None


@pytest.fixture
def said(golden: str) -> dict[str, str]:
    return {"DATABASE_URL": golden, "RETURN_SECRET": SECRET, "BOUNCE_DOMAIN": DOMAIN}


async def test_the_command_shows_first_and_then_changes(post: Post, said: dict[str, str]) -> None:
    made, _ = await posted(post, GONE, UNKNOWN)
    other = (await post.add(b"Subject: hello\n\nHello!\n")).json
    dry = await run("returns", "reprocess", "--unknown", "--dry-run", **said)
    assert dry.status == 0, dry.err
    assert "bounced, suppressed" in dry.out
    assert dry.out.endswith("understood again: 2; nothing was changed\n")
    assert (await post.api.get(f"{PATH}/{made}")).json["kind"] == "unknown"
    assert await post.db.fetch(NOTES) == []
    done = await run("returns", "reprocess", "--unknown", "--why", "1.2", **said)
    assert (done.status, made in done.out, other["id"] in done.out) == (0, True, False)
    assert done.out.endswith("understood again: 2\n")
    again = await run("returns", "reprocess", made, other["id"], **said)
    assert again.out == "every result is as it was\nunderstood again: 2\n"
    shown = await run("returns", "show", made, **said)
    assert 'by command ("1.2"); it was unknown; changed: bounced, suppressed' in shown.out


async def test_the_command_says_what_it_could_not_do(post: Post, said: dict[str, str]) -> None:
    nothing = await run("returns", "reprocess", **said)
    assert (nothing.status, "--unmatched" in nothing.err) == (2, True)
    made, _ = await posted(post, GONE, UNKNOWN)
    absent = str(uuid4())
    some = await run("returns", "reprocess", absent, made, **said)
    assert some.status == 1
    assert "There is no such returned mail." in some.out
    assert "bounced, suppressed" in some.out


async def test_the_former_form_of_a_return_path_counts_by_command_and_not_by_post(
    post: Post, said: dict[str, str], tmp_path: Path
) -> None:
    delivery = await post.handed_over()
    raw = f"To: post+bounce-{delivery.hex}@ledgerpost.example\n".encode() + GONE
    (tmp_path / "a.eml").write_bytes(raw)
    await run("returns", "add", str(tmp_path / "a.eml"), **said)
    await post.db.execute("UPDATE return_paths SET signed_since = now() + interval '1 hour'")
    made = (await post.add(raw)).json
    await run("returns", "reprocess", made["id"], **said)
    assert await post.state(delivery) == "sent"
    again = await run("returns", "reprocess", "--unmatched", **said)
    assert (again.status, str(delivery) in again.out) == (0, True), again.err
    assert await post.state(delivery) == "bounced"
    assert await post.db.fetchval(SUPPRESSED) == 0
    (tmp_path / "b.eml").write_bytes(raw + b"again\n")
    added = await run("returns", "add", str(tmp_path / "b.eml"), **said)
    assert str(delivery) in added.out


async def test_files_are_taken_in_by_command(
    post: Post, said: dict[str, str], tmp_path: Path
) -> None:
    delivery = await post.handed_over()
    (tmp_path / "a.eml").write_bytes(
        f"X-Original-To: {post.paths.address(delivery)}\n".encode() + GONE
    )
    (tmp_path / "b.eml").write_bytes(b"Subject: hello\n\nHello!\n")
    files = [str(tmp_path / name) for name in ("a.eml", "b.eml")]
    first = await run("returns", "add", *files, **said)
    assert first.status == 0, first.err
    assert "bounced, suppressed" in first.out
    assert await post.state(delivery) == "bounced"
    again = await run("returns", "add", files[0], **said)
    assert again.out.splitlines()[1].split()[2] == "no"
    rows = await post.db.fetch("SELECT source, business_id FROM returns ORDER BY received_at")
    assert [tuple(row) for row in rows] == [("command", 1), ("command", None)]


async def test_a_file_that_cannot_be_taken_in_is_said(
    post: Post, said: dict[str, str], tmp_path: Path
) -> None:
    absent = await run("returns", "add", str(tmp_path / "none.eml"), **said)
    assert (absent.status, "No such file" in absent.err) == (1, True)
    (tmp_path / "a.eml").write_bytes(GONE)
    delivery = await post.handed_over("committing")
    address = post.paths.address(delivery)
    waits = await run("returns", "add", str(tmp_path / "a.eml"), "--recipient", address, **said)
    assert (waits.status, "repeat" in waits.err) == (1, True)
    assert await post.db.fetchval("SELECT count(*) FROM returns") == 0
    del said["RETURN_SECRET"]
    secretless = await run("returns", "add", str(tmp_path / "a.eml"), **said)
    assert (secretless.status, "RETURN_SECRET" in secretless.err) == (1, True)
