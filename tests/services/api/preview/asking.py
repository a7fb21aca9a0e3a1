"""Asks for previews as a caller does, whose answers may be files."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from tests.services.api.api_client import NOVEMBER, REPORTS, Api

PATH = f"{REPORTS}/client/4/{NOVEMBER}/statement"
WORD = f"{REPORTS}/client/4/2024-11/statement"
FIGURES = "X-Figures-SHA256"
MEDIA = {
    "json": "application/json",
    "html": "text/html",
    "text": "text/plain",
    "pdf": "application/pdf",
    "eml": "message/rfc822",
}


@dataclass
class Shown:
    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


async def ask(api: Api, path: str = PATH, method: str = "GET", **options: Any) -> Shown:
    headers = {"Authorization": f"Bearer {options.pop('key', api.key)}"}
    headers |= options.pop("headers", {})
    url = f"http://127.0.0.1:{api.port}{path}"
    async with api.session.request(method, url, headers=headers, **options) as response:
        return Shown(response.status, response.headers, await response.read())


async def post(api: Api, form: str, **body: Any) -> Shown:
    return await ask(api, f"{PATH}?format={form}", "POST", json=body)


def mail(shown: Shown) -> EmailMessage:
    return message_from_bytes(shown.body, policy=policy.default)
