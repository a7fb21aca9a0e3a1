"""Typed keys of the values in the application and in each request."""

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import web

from services.api.access.attempts import Attempts
from services.api.access.borrowers import Borrowers
from services.api.access.key_databases import KeyDatabases
from services.api.access.model import Principal
from services.api.access.rate_limit import Limits, Rate
from services.api.access.sessions import Token
from services.api.access.unread import Unread
from services.api.businesses.model import Business
from services.api.http.databases import OpenDatabase
from services.api.http.metrics import HttpMetrics
from services.api.http.negotiation import Coding
from services.api.http.route import Route
from shared.db.overlap import Overlap
from shared.mail.return_path import ReturnPaths
from shared.mail.unsubscribe import Links
from shared.process.health import Health
from shared.process.settings import ApiSettings, RelaySettings
from shared.returns.metrics import ReturnMetrics
from shared.trace import Trace
from shared.turns import Turns

SETTINGS = web.AppKey("SETTINGS", ApiSettings)
# The databases by their names, each with whole businesses.
DATABASES = web.AppKey[Mapping[str, OpenDatabase]]("DATABASES")
HEALTH = web.AppKey("HEALTH", Health)
# Set once the process has to stop.
STOPPING = web.AppKey("STOPPING", asyncio.Event)
METRICS = web.AppKey("METRICS", HttpMetrics)
RETURN_METRICS = web.AppKey("RETURN_METRICS", ReturnMetrics)
# Returns the metrics of all workers in the format of Prometheus.
EXPOSE = web.AppKey[Callable[[], bytes]]("EXPOSE")
# Turns problem+json into a page for a person.
PROBLEM_PAGE = web.AppKey[Callable[[web.Response], web.Response]]("PROBLEM_PAGE")
# The API's OpenAPI document as it is served.
OPENAPI = web.AppKey[Callable[[], bytes]]("OPENAPI")
# What routes.py declares of each route.
ROUTE_OF = web.AppKey[Mapping[web.AbstractRoute, Route]]("ROUTE_OF")
LIMITS = web.AppKey("LIMITS", Limits)
INVALID_KEYS = web.AppKey("INVALID_KEYS", Attempts)
# The businesses that are in several databases, and which are refused.
OVERLAP = web.AppKey("OVERLAP", Overlap)
# How businesses share the reports that are streamed at once.
STREAMS = web.AppKey("STREAMS", Turns)
# How businesses share the processes that make files, XLSX and PDF.
FILES = web.AppKey("FILES", Turns)
# How businesses share the processes that make previews.
PREVIEW_TURNS = web.AppKey("PREVIEW_TURNS", Turns)
# How businesses share dry runs of batches.
DRY_RUNS = web.AppKey("DRY_RUNS", Turns)
BORROWERS = web.AppKey("BORROWERS", Borrowers)
KEY_DATABASES = web.AppKey("KEY_DATABASES", KeyDatabases)
# The bytes of answers that are not read yet.
UNREAD = web.AppKey("UNREAD", Unread)
# Checks unsubscribe links; None if the operator set no secret.
UNSUBSCRIBE_LINKS = web.AppKey[Links | None]("UNSUBSCRIBE_LINKS")
# Reads signed return paths; None if the operator set no secret.
RETURN_PATHS = web.AppKey[ReturnPaths | None]("RETURN_PATHS")
# Only if the relay runs inside the API (`serve --with-relay`).
RELAY_SETTINGS = web.AppKey("RELAY_SETTINGS", RelaySettings)

REQUEST_ID = web.RequestKey("REQUEST_ID", str)
# The route that takes the request; None if none does.
ROUTE = web.RequestKey[Route | None]("ROUTE")
# This request's span of the caller's trace, or of a new one.
TRACE = web.RequestKey("TRACE", Trace)
# The business whose turns the request's connections take; absent without a key.
BORROWER = web.RequestKey("BORROWER", int)
# The database that has the business of the request; absent as long as none is known, or the only
# one was not used.
DATABASE = web.RequestKey("DATABASE", OpenDatabase)
# Set by the authentication on routes that declare a scope.
PRINCIPAL = web.RequestKey("PRINCIPAL", Principal)
# The session whose key it is; absent if the key came with the request.
SESSION = web.RequestKey("SESSION", Token)
# The version of the business's ledger when the key was looked up, on a conditional route; not set
# if the look-up leased a slice of the rate limit.
LEDGER_VERSION = web.RequestKey("LEDGER_VERSION", str)

# The business of the request's key, once a handler has read it.
BUSINESS = web.RequestKey("BUSINESS", Business)
# The path and query of the same answer with dates, if the request has a word for its period.
CONTENT_LOCATION = web.RequestKey("CONTENT_LOCATION", str)

# The codings that the caller accepts.
CODING = web.RequestKey("CODING", Coding)
# The rate limit of the request's key, once the request is counted.
RATE = web.RequestKey("RATE", Rate)
