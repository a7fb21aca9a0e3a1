"""A look from outside at a process: whether it answers."""

import aiohttp


async def is_answered(url: str) -> bool:
    """Return whether a GET of this address succeeds."""
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False
