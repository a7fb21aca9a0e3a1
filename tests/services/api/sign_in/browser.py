"""A browser as far as signing in goes: it follows nothing by itself and keeps one cookie."""

from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import Any

from tests.services.api.api_client import Answer, Api

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
NAME = "ledgerpost_session"


@dataclass
class Browser:
    """Asks `api` as a browser does, with the session that it was given."""

    api: Api
    session: str | None = None

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.ask("GET", path, **options)

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        headers = {"Accept": ACCEPT} | options.pop("headers", {})
        if self.session is not None:
            headers["Cookie"] = f"{NAME}={self.session}"
        return await self.api.ask(
            method, path, key=None, headers=headers, allow_redirects=False, **options
        )

    async def sign_in(self, key: str, wanted: str = "", **options: Any) -> Answer:
        answer = await self.ask("POST", "/sign-in", data={"key": key, "next": wanted}, **options)
        if (given := cookie(answer)) is not None:
            self.session = given.value
        return answer


def cookie(answer: Answer) -> Morsel[str] | None:
    """Return the cookie of the session that an answer sets."""
    return SimpleCookie(answer.headers.get("Set-Cookie", "")).get(NAME)
