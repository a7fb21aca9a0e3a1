import json
from decimal import Decimal
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from demo.failure import DemoFailed

# Do not use the machine's HTTP proxy for local connections.
_OPENER = build_opener(ProxyHandler({}))


def ask(url: str, *, key: str = "", body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """GET, or POST a JSON body; return the status and the JSON, its numbers as Decimals.

    Raises DemoFailed if no server answers.
    """
    request = Request(url, headers={"Accept": "application/json"})
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with _OPENER.open(request, timeout=30) as response:
            return response.status, _decoded(response.read())
    except HTTPError as error:
        with error:
            return error.code, _decoded(error.read())
    except OSError as error:
        raise DemoFailed(f"{url} does not answer: {error}") from None


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        return content.decode("utf-8", "replace")
