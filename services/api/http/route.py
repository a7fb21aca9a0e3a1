from dataclasses import dataclass, replace
from functools import cached_property

from aiohttp.typedefs import Handler

from services.api.core.refusals import NeededScope
from services.api.openapi.operation import JSON, Operation
from services.api.openapi.periods import by_word


@dataclass(frozen=True, eq=False)
class Route:
    """A URL and a method of the API, with all that is declared about them.

    A request needs a key with `scope`, or any key if that is NO_SCOPE; None opens the route to
    everybody. `operation` describes the call in the OpenAPI document; None leaves a page for a
    browser out of it. A route that is an `alias` has this `operationId` instead of its operation's.

    Accept may choose from `produces`; if that is empty, no Accept is refused.
    Authentication and handler `share_connection`, unless the handler waits for anything but the
    request's body and Postgres. If the route `is_conditional`, the look-up of the key also reads
    the version of the ledger, for which an unchanged report would otherwise need a round trip.
    If the period is `in_words`, the path has one word of the period language for it.
    On a route that `is_page`, the session of a browser may stand for the key, and a browser without
    either is led to the page for signing in.
    """

    method: str
    path: str
    handler: Handler
    operation: Operation | None = None
    scope: NeededScope | None = None
    alias: str | None = None
    produces: tuple[str, ...] = (JSON,)
    share_connection: bool = True
    is_conditional: bool = False
    in_words: bool = False
    is_page: bool = False

    @cached_property
    def described(self) -> Operation | None:
        """The operation as this route takes it."""
        return by_word(self.operation) if self.operation and self.in_words else self.operation

    @cached_property
    def query(self) -> frozenset[str]:
        """The query parameters that the call takes: those that its operation describes."""
        parameters = self.operation.parameters if self.operation else ()
        return frozenset(each.name for each in parameters if each.where == "query")


def over_period(route: Route) -> tuple[Route, Route]:
    """Return a route whose path has `{from}/{to}`, and its twin with one word in their place."""
    path = route.path.replace("{from}/{to}", "{period}")
    return route, replace(route, path=path, in_words=True)


def keyless(method: str, path: str, handler: Handler, operation: Operation | None = None) -> Route:
    """Return a route that needs no key, and refuses no Accept."""
    return Route(method, path, handler, operation, produces=(), share_connection=False)
