"""A rendering process speaks every language after it has given up its rights."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from shared.rendering.frames import RenderRequest
from shared.rendering.pool import RenderPool
from tests.shared.rendering.requests import SENDER, expected
from tests.shared.statements.snapshots import frozen, snapshot

LOCALES = ("en", "fr-CA", "pt-BR", "es-419", "de-CH", "ar-EG", "zh-TW")


def request(number: int, locale: str) -> RenderRequest:
    content = frozen(snapshot(version=2, locale=locale)).decode()
    return RenderRequest(content, None, UUID(int=number), SENDER, datetime(2024, 12, 1, tzinfo=UTC))


async def test_each_mail_is_in_its_own_language(two: RenderPool) -> None:
    wanted = [request(number, locale) for number, locale in enumerate(LOCALES * 3)]
    assert await asyncio.gather(*map(two.message, wanted)) == [expected(each) for each in wanted]
