"""Has a logo re-encoded by a process of its own, which a hostile picture cannot leave."""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any, Final, cast

from services.api.branding.logo.picture import OCTETS_MAX, SIDE_MAX, Picture
from shared.rendering.process import environment

_ANSWER_S: Final = 30.0
_ANSWER_OCTETS_MAX: Final = 2**20  # 600 by 240 pixels have less than half, however they are encoded
_MODULE: Final = "services.api.branding.logo"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_TOO_MUCH: Final = "is a picture that takes too much time or memory"


async def picture(data: bytes) -> Picture:
    """Return the picture of a file. Raises ValueError with the reason if it is not usable."""
    if not data:
        raise ValueError("is empty; it should be a PNG or a JPEG picture")
    if len(data) > OCTETS_MAX:
        raise ValueError(f"should have at most {OCTETS_MAX} octets")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", _MODULE),
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(),
    )
    try:
        async with asyncio.timeout(_ANSWER_S):
            answer = await _answer(process, data)
    except TimeoutError:
        raise ValueError(_TOO_MUCH) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
    return _picture(answer)


async def _answer(process: asyncio.subprocess.Process, data: bytes) -> bytes:
    """Return what the process writes; only so much, as a hostile picture may have taken it over."""
    given = cast("asyncio.StreamWriter", process.stdin)
    given.write(data)
    with suppress(ConnectionError):  # the answer, or that there is none, says why
        await given.drain()
    given.close()
    try:
        await cast("asyncio.StreamReader", process.stdout).readexactly(_ANSWER_OCTETS_MAX + 1)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    raise ValueError(_TOO_MUCH)


def _picture(answer: bytes) -> Picture:
    head, _, png = answer.partition(b"\n")
    try:
        fields: dict[str, Any] = json.loads(head)
    except ValueError:  # the process was ended by one of its limits
        raise ValueError(_TOO_MUCH) from None
    match fields:
        case {"error": str() as reason}:
            raise ValueError(reason)
        case {"width": int() as width, "height": int() as height} if (
            png.startswith(_PNG) and 0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX
        ):
            return Picture(png, width, height)
    raise ValueError(_TOO_MUCH)
