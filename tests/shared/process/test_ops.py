import socket

import pytest

from shared.process import metrics
from shared.process.health import Health
from shared.process.ops import serve_ops
from shared.process.settings import SettingsError


async def test_an_address_on_which_nothing_can_listen_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=r"^SOME_OPS_HOST, SOME_OPS_PORT: "):
            async with serve_ops("SOME_OPS", "127.0.0.1", port, Health(), metrics.registry()):
                pass
