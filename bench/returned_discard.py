"""`python -m bench.returned_discard PORT`: a bare aiosmtpd, which discards every mail."""

import asyncio
import logging
import sys

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session


class Discard:
    """Accepts every mail and stores none."""

    async def handle_DATA(self, _: SMTP, __: Session, ___: Envelope) -> str:  # noqa: N802 - aiosmtpd
        """Say yes."""
        return "250 2.0.0 discarded"


async def main(port: int) -> None:
    """Serve until the end of the process."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Discard(), hostname="discard", loop=loop), "127.0.0.1", port
    )
    await server.serve_forever()


if __name__ == "__main__":
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    uvloop.run(main(int(sys.argv[1])))
