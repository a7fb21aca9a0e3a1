"""A database of each release becomes one of this version: `make upgrade` does it with traffic."""

import json
from pathlib import Path

import asyncpg
import pytest

from services.api.ledger.verification import prove
from shared.db import migrate
from tests.services.api.ledgers import load_golden

# The digests of the migrations of each release, as its own `migrate` stored them.
RELEASES: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "releases.json").read_text("utf-8")
)
STATES = ("scheduled", "queued", "sending", "committing", "deferred", "sent", "failed", "in_doubt",
          "cancelled", "expired", "suppressed")  # fmt: skip
SENT = """
INSERT INTO statements (business_id, sha256, content) VALUES (1, sha256('x'), '{"version": 1}');
INSERT INTO sends (id, business_id, customer_id, date_from, date_to, copy_to_me, skipped, send_at,
                   expires_at, created_at, statement_sha256)
VALUES (gen_random_uuid(), 1, 4, '2024-11-01', '2024-11-30', false,
        '[{"email": "nobody", "reason": "not an address"}]', now(), now() + interval '72 h', now(),
        sha256('x'));
"""
MAIL = """
INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, state, due_at,
                        expires_at, created_at, updated_at, lease_until, reason, reply, sent_at)
SELECT gen_random_uuid(), id, 1, $1, $2::text || '@x.example', $2::text || '@x.example', $2::text,
       now(), now() + interval '72 h', now(), now(), now(), 'no such mailbox', '550 no',
       CASE WHEN $2::text = 'sent' THEN now() END
FROM sends
"""
KEPT = """
SELECT email, state, reason, reply, attempts, claims, due_at, sent_at FROM deliveries ORDER BY email
"""


@pytest.mark.parametrize("release", RELEASES)
def test_no_migration_of_a_release_is_edited(release: str) -> None:
    history = {name: migrate._digest(text) for name, text in migrate.migrations().items()}
    assert RELEASES[release].items() <= history.items()


@pytest.mark.parametrize("release", RELEASES)
async def test_a_database_of_a_release_keeps_its_mails_and_its_figures_are_right(
    empty: str, release: str
) -> None:
    everything, of_release = migrate.migrations(), RELEASES[release]
    conn = await asyncpg.connect(empty)
    await conn.execute(migrate._HISTORY)
    for name, digest in of_release.items():
        await conn.execute(everything[name])
        await conn.execute("INSERT INTO schema_migrations VALUES ($1, $2)", name, digest)
    await load_golden(empty)
    await conn.execute(SENT)
    for position, state in enumerate(STATES):
        await conn.execute(MAIL, position, state)
    before = await conn.fetch(KEPT)
    events = await conn.fetchval("SELECT count(*) FROM delivery_events")
    assert await migrate.migrate(empty) == [name for name in everything if name not in of_release]
    assert await conn.fetch(KEPT) == before
    assert await conn.fetchval("SELECT count(*) FROM delivery_events") == events
    async for proof in prove(conn):
        assert not proof.differences, proof
    await conn.close()
