"""What the application and each request carry, under typed keys."""

import asyncio
from collections.abc import Callable, Mapping

import asyncpg
from aiohttp import web
from aiohttp.typedefs import Handler

from services.api.access.borrowers import Borrowers
from services.api.access.invalid_keys import Refused
from services.api.access.model import Principal
from services.api.access.rate_limit import Limits, Rate
from services.api.access.unread import Unread
from services.api.core.refusals import Scope
from services.api.http.metrics import HttpMetrics
from services.api.http.negotiation import Coding
from shared.mail.unsubscribe import Links
from shared.process.health import Health
from shared.process.settings import ApiSettings, RelaySettings
from shared.process.trouble import Trouble
from shared.trace import Trace
from shared.turns import Turns

SETTINGS = web.AppKey("SETTINGS", ApiSettings)
POOL = web.AppKey("POOL", asyncpg.Pool)
HEALTH = web.AppKey("HEALTH", Health)
# Set once the process was told to stop.
STOPPING = web.AppKey("STOPPING", asyncio.Event)
METRICS = web.AppKey("METRICS", HttpMetrics)
# The metrics of all workers as Prometheus reads them.
EXPOSE = web.AppKey[Callable[[], bytes]]("EXPOSE")
# The API's OpenAPI document as it is served.
OPENAPI = web.AppKey[Callable[[], bytes]]("OPENAPI")
# The scope that each handler needs, as routes.py declares it; None opens it to everybody.
SCOPE_OF = web.AppKey[Mapping[Handler, Scope | None]]("SCOPE_OF")
LIMITS = web.AppKey("LIMITS", Limits)
REFUSED = web.AppKey("REFUSED", Refused)
# The query parameters that each handler takes; those without an entry ignore what they do not know.
QUERY_OF = web.AppKey[Mapping[Handler, frozenset[str]]]("QUERY_OF")
# The handlers that ask Postgres at once: one connection does for the key and for them.
KEEPING = web.AppKey[frozenset[Handler]]("KEEPING")
# What keeps requests from Postgres, for the log.
DATABASE_TROUBLE = web.AppKey("DATABASE_TROUBLE", Trouble)
# How businesses share the connections of the pool, and reports that are streamed at once.
CONNECTIONS = web.AppKey("CONNECTIONS", Turns)
STREAMS = web.AppKey("STREAMS", Turns)
BORROWERS = web.AppKey("BORROWERS", Borrowers)
# What was answered and is not read yet.
UNREAD = web.AppKey("UNREAD", Unread)
# Who may refuse mail by a link; None where the operator set no secret.
UNSUBSCRIBE_LINKS = web.AppKey[Links | None]("UNSUBSCRIBE_LINKS")
# Only where the relay runs inside the API (`serve --with-relay`).
RELAY_SETTINGS = web.AppKey("RELAY_SETTINGS", RelaySettings)

REQUEST_ID = web.RequestKey("REQUEST_ID", str)
# This request's span of the caller's trace, or of a new one.
TRACE = web.RequestKey("TRACE", Trace)
# Whose turns its connections take; nobody's for who shows no key.
BORROWER = web.RequestKey("BORROWER", int)
# Set by the authentication on every route that declares a scope.
PRINCIPAL = web.RequestKey("PRINCIPAL", Principal)

# How the answer may be coded.
CODING = web.RequestKey("CODING", Coding)
# Where its key stands, once a request is counted.
RATE = web.RequestKey("RATE", Rate)
