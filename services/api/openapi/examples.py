from typing import Any


def page(*items: dict[str, Any]) -> dict[str, Any]:
    """Return the last page of a list as an example."""
    return {"data": list(items), "next_cursor": None}
