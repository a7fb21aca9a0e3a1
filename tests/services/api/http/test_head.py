import re

import pytest

from services.api.http.route import Route
from services.api.routes import ROUTES
from tests.services.api.api_client import Api

FILLED = {
    "{id:[0-9]+}": "4",
    "{from}": "2024-11-01",
    "{to}": "2024-11-30",
    "{id}": "0198c0de-0000-7000-8000-000000000000",
    "{token}": "nonsense",
}
# What differs from one request to the next by its nature.
OWN = {
    "Date", "X-Request-Id", "RateLimit", "RateLimit-Remaining", "RateLimit-Reset",
    "Transfer-Encoding",
}  # fmt: skip
_OF_ITSELF = ("request_id", "generated_at")


@pytest.mark.parametrize(
    "route",
    [pytest.param(route, id=route.path) for route in ROUTES if route.method == "GET"],
)
async def test_every_get_answers_head(reader: Api, route: Route) -> None:
    path = route.path
    for name, value in FILLED.items():
        path = path.replace(name, value)
    path = re.sub(r"\{[^}]*\}", "x", path)
    get, head = await reader.get(path), await reader.ask("HEAD", path)
    assert (head.status, head.text) == (get.status, "")
    own = OWN | ({"Content-Length"} if route.path == "/metrics" else set())
    for name in get.headers.keys() - own:
        # What an answer says of itself is new each time, and may be longer if it is compressed.
        if name != "Content-Length" or not any(each in get.text for each in _OF_ITSELF):
            assert head.headers.get(name) == get.headers[name], name
