"""Three businesses with the same ids, whose words and figures identify their business."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from services.api.access import sessions
from services.api.access import store as access
from services.api.access.admission import Admission
from services.api.core import fields
from services.api.core.parsing import parse
from services.api.core.refusals import SCOPES
from services.api.idempotency.store import IdempotencyKey
from services.api.intake import act
from services.api.sends.accept import accept
from services.api.sends.request import SendBody, SendRequest
from services.api.sends.terms import Terms
from services.api.statements.store import freeze
from shared.deliveries.relay import Unfrozen
from shared.mail.return_path import ReturnPaths
from shared.mail.unsubscribe import Links
from shared.process.settings import ApiSettings
from tests.contract import tenant_batches, tenant_returns
from tests.roles import acting

SECRET = "a secret of more than thirty-two characters"
PATHS = ReturnPaths(SECRET, "bounces.example")
LINKS = Links(SECRET, "https://ledgerpost.example")
PERIOD = fields.period("2024-11-01", "2024-11-30")
# A customer that no other business has is this many times its business's id.
OWN_CUSTOMER = 1000

# A red square.
_PNG = (
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c"
    "63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
_LEDGER = """
INSERT INTO businesses (id, owner_id, name, email, phone, address, currency, timezone)
    VALUES ({id}, {id} * 10000019, '{word} name', '{word}-owner@x.example', '{word} phone',
            '{word} address', 'EUR', 'UTC');
INSERT INTO categories (business_id, id, name) VALUES ({id}, 2, '{word} category');
INSERT INTO customers (business_id, id, owner_id, first_name, last_name, phone_number,
        business_name, business_address, business_phone, business_location, business_email,
        account_id, category_id, deposit_account_id, opening_balance)
    SELECT {id}, c, {id} * 10000019, '{word} first', '{word} last', '{word} number',
           '{word} business', '{word} street', '{word} business phone', '{word} town',
           '{word}-customer@x.example', {id} * 10000079, 2, {id} * 10000103, {id} * 10000121.07
    FROM unnest(ARRAY[1, 2, {own}]) AS c;
INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date, total)
    SELECT {id}, c, c, '{word} invoice', 'invoice', 'issued', '2024-11-05', {id} * 10000139.11
    FROM unnest(ARRAY[1, 2, {own}]) AS c;
INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, method, reference,
        status)
    SELECT {id}, c, c, '2024-11-07', {id} * 10000141.13, 'manual', '{word} method',
           '{word} reference', 'settled'
    FROM unnest(ARRAY[1, 2, {own}]) AS c;
INSERT INTO deposits (business_id, id, customer_id, entry_date, amount, type)
    SELECT {id}, c, c, '2024-11-09', {id} * 10000169.17, 'credit'
    FROM unnest(ARRAY[1, 2, {own}]) AS c;
INSERT INTO suppressions (business_id, email_key, reason)
    SELECT {id}, '{word}-gone' || n || '@x.example', '{word} reason' FROM generate_series(1, 3) n;
INSERT INTO suppressions (business_id, email_key, reason)
    SELECT {id}, email, '{word} reason' FROM unnest(ARRAY['only{id}@x.example',
        'shared@x.example', 'shared1@x.example', 'shared2@x.example', 'shared7@x.example']) email;
INSERT INTO pauses (business_id) VALUES ({id});
INSERT INTO logos (business_id, sha256, png, width, height)
    VALUES ({id}, sha256('{word}'), decode('{png}', 'hex') || '{word} logo', 1, 1);
INSERT INTO branding (business_id, sender_name, reply_to, how_to_pay, pay_link, logo_sha256)
    VALUES ({id}, '{word} sender', '{word}-reply@x.example', '{word} bank',
            'https://{word}.example/', sha256('{word}'));
"""
_SCHEDULE = """
INSERT INTO schedules (id, business_id, name, rule, at_time, timezone, period, filter,
        personal_message, other_emails, starts_on, created_at, updated_at, next_on, next_at, due_at,
        failures, reason, reason_code)
    VALUES (gen_random_uuid(), {id}, '{word} schedule', '{{"every": "month", "day": 1}}', '09:00',
            'UTC', 'last-month', '{{"q": "{word}"}}', '{word} message',
            ARRAY['{word}-other@x.example'], '2024-01-01', clock_timestamp(), now(), '2030-01-01',
            '2030-01-01T09:00:00Z', '2030-01-01T09:00:00Z', 1, '{word} reason', 'batch_not_made')
    RETURNING id
"""
_SKIPPED = """
INSERT INTO schedule_occurrences (schedule_id, occurrence, outcome, reason, reason_code)
    VALUES ($1, '2029-12-01', 'skipped', $2 || ' reason', 'occurrence_late')
"""
_LIFTED = """
INSERT INTO lifted_suppressions (business_id, email_key, reason, reason_code, suppressed_at,
        lifted_by, why)
    SELECT $1, $2 || '-lifted' || number || '@x.example', $2 || ' reason', 'suppressed_bounced',
           now(), $2 || ' key', $2 || ' why'
    FROM generate_series(1, 2) AS number
"""
_STATE = """
UPDATE deliveries SET state = $2, reply = '250 ' || $3 || ' reply', reason = $3 || ' reason',
    sent_at = CASE $2 WHEN 'sent' THEN now() END, due_at = now() + interval '1 day'
WHERE send_id = $1
"""
_FROZEN = "SELECT encode(statement_sha256, 'hex') FROM sends WHERE id = $1"


@dataclass
class Tenant:
    """One business: its key, the word in all its texts, and its sends by state."""

    id: int
    word: str
    key: str
    # The token of a browser that is signed in by the key.
    session: str
    # By the state that it is in; and what the API gave to it alone: places in lists, entity tags.
    sends: dict[str, UUID] = field(default_factory=dict)
    deliveries: dict[str, UUID] = field(default_factory=dict)
    batches: list[UUID] = field(default_factory=list)
    frozen_list: UUID | None = None
    cursors: dict[str, list[str]] = field(default_factory=dict)
    schedules: list[UUID] = field(default_factory=list)
    returns: list[UUID] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    # The hash of a frozen statement.
    statement: str = ""

    @property
    def idempotency_key(self) -> str:
        """The Idempotency-Key of its send in the state `sent`, whose request had no body."""
        return f"{self.word}-order"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no other business may see: its word, its figures, its unique ids."""
        figures = (10000019, 10000079, 10000103, 10000121, 10000139, 10000141, 10000169)
        return (
            self.word,
            *(str(self.id * figure) for figure in figures),
            *map(str, self.sends.values()),
            *map(str, self.deliveries.values()),
            *map(str, self.batches),
            str(self.frozen_list),
            *map(str, self.schedules),
            *map(str, self.returns),
        )

    @property
    def own_customer(self) -> int:
        """A customer whose id no other business has."""
        return self.id * OWN_CUSTOMER

    @property
    def token(self) -> str:
        """The token in the unsubscribe link of one of its mails."""
        return LINKS.url(self.deliveries["sent"]).rpartition("/")[2]

    @property
    def return_path(self) -> str:
        """The return path of one of its mails."""
        return PATHS.address(self.deliveries["sent"])


def settings(*dsns: str) -> ApiSettings:
    """Return the settings of an API that accepts unsubscribe links and returned mail."""
    first, *others = (acting(dsn, "api") for dsn in dsns)
    several = {"main": first} | {f"other{n}": url for n, url in enumerate(others)}
    return ApiSettings(
        database_url=None if others else first,
        database_urls=several if others else {},
        unsubscribe_secret=SECRET,
        return_secret=SECRET,
        bounce_domain=PATHS.domain,
        rate_limit=10_000_000,  # of what all tests of a module ask
    )


async def settle(conn: asyncpg.Connection, number: int, word: str) -> Tenant:
    """Write a business's ledger, and sends in every state."""
    own = number * OWN_CUSTOMER
    await conn.execute(_LEDGER.format(id=number, word=word, own=own, png=_PNG))
    key = await access.create(conn, business_id=number, name=f"{word} key", scopes=SCOPES)
    holder = await access.principal(conn, key.sha256)
    assert holder is not None
    session = await sessions.begin(conn, holder.key_id)
    tenant = Tenant(number, word, key.text, session.text)
    await act.answer(conn, asked_by(tenant), terms(), Admission(6000))
    for state in ("scheduled", "sent", "in_doubt", "failed", "deferred"):
        await _send(conn, tenant, state)
    deferred = tenant.sends["deferred"]
    tenant.batches = await tenant_batches.store(conn, number, word, PERIOD, terms(), deferred)
    tenant.frozen_list = await tenant_batches.frozen(conn, number, word, PERIOD, terms())
    for _ in range(2):
        tenant.schedules.append(await conn.fetchval(_SCHEDULE.format(id=number, word=word)))
        await conn.execute(_SKIPPED, tenant.schedules[-1], word)
    await conn.execute(_LIFTED, number, word)
    tenant.returns = await tenant_returns.store(conn, number, word, tenant.deliveries["deferred"])
    return tenant


def asked_by(tenant: Tenant, **data: Any) -> act.Asked:
    """Return a request over the queue with a key; all businesses use the same `source` and `id`."""
    given = {"customer_id": 1, "from": str(PERIOD.start), "to": str(PERIOD.end), **data}
    event = {"specversion": "1.0", "id": "1", "source": "/crm", "data": given} | {
        "type": "com.ledgerpost.send-request.v1"
    }
    return act.Asked(json.dumps(event).encode(), [f"Bearer {tenant.key}"])


async def _send(conn: asyncpg.Connection, tenant: Tenant, state: str) -> None:
    body: dict[str, Any] = {}
    if state != "sent":
        body["message"] = f"{tenant.word} message"
        body["other_emails"] = [f"{tenant.word}-other@x.example", "shared@x.example"]
    if state == "scheduled":
        body["send_at"] = "2030-01-01"
    asked = SendRequest.of(1, PERIOD, parse(SendBody, body))
    key = IdempotencyKey(tenant.idempotency_key) if state == "sent" else None
    accepted = await accept(conn, tenant.id, asked, terms(), key)
    tenant.sends[state] = accepted.send_id
    if state != "scheduled":
        await freeze(conn, Unfrozen(accepted.send_id, tenant.id, 1, PERIOD))
        tenant.statement = await conn.fetchval(_FROZEN, accepted.send_id)
        await conn.execute(_STATE, accepted.send_id, state, tenant.word)
    tenant.deliveries[state] = await conn.fetchval(
        "SELECT id FROM deliveries WHERE send_id = $1 ORDER BY position LIMIT 1", accepted.send_id
    )


def terms() -> Terms:
    """Return the default limits."""
    given = ApiSettings(database_url="postgresql://nowhere/none")
    return Terms(given.max_recipients, given.max_lateness, given.daily_quota)
