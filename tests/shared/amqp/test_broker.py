import time
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest

from provision.ports import free_ports
from provision.servers import Servers
from shared.amqp.broker import UNAVAILABLE, connect
from tests.black_hole import NAME, half_there
from tests.faults.proxy import Proxy
from tests.vhosts import Vhosts


def several(url: str, *hosts: str) -> str:
    """The address with these hosts in the place of its own."""
    user = url.partition("@")[0]
    return f"{user}@{','.join(hosts)}{urlsplit(url).path}"


async def test_a_node_that_is_down_is_passed_over(broker: str) -> None:
    [down] = free_ports(1)
    here = urlsplit(broker)
    url = several(broker, f"127.0.0.1:{down}", f"{here.hostname}:{here.port}")
    for _ in range(8):
        async with await connect(url, "test") as connection:
            channel = await connection.channel()
            await channel.declare_queue(exclusive=True)


async def test_connections_spread_over_the_nodes(broker: str) -> None:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(Proxy(broker)) for _ in range(3)]
        url = several(broker, *(node.url.partition("@")[2].partition("/")[0] for node in nodes))
        for _ in range(30):
            await stack.enter_async_context(await connect(url, "test"))
        # Each has none with a probability of 1 in 200,000.
        assert all(node.links for node in nodes)
        assert sum(len(node.links) for node in nodes) == 30


async def test_a_node_that_says_nothing_is_given_up_in_time(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.amqp.broker._CONNECT_S", 1)
    here = urlsplit(broker)
    async with Proxy(broker) as silent:
        silent.black_hole()
        url = several(broker, silent.url.partition("@")[2].partition("/")[0])
        [down] = free_ports(1)
        begun = time.monotonic()
        # What the one that was asked last said, and which that is, is chance.
        with pytest.raises(UNAVAILABLE):
            await connect(url.replace("@", f"@127.0.0.1:{down},"), "test")
        assert time.monotonic() - begun < 5
        both = url.replace("@", f"@{here.hostname}:{here.port},")
        for _ in range(2):
            await (await connect(both, "test")).close()


async def test_no_node_at_all_is_what_the_last_one_said() -> None:
    down = ",".join(f"127.0.0.1:{port}" for port in free_ports(3))
    with pytest.raises(UNAVAILABLE):
        await connect(f"amqp://user:secret@{down}/", "test")


async def test_a_host_whose_first_address_is_a_black_hole_is_reached(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = urlsplit(broker).port
    assert port is not None
    with half_there(monkeypatch, port):
        await (await connect(several(broker, f"{NAME}:{port}"), "test")).close()


async def test_silence_has_a_text(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.amqp.broker._CONNECT_S", 0.5)
    async with Proxy(broker) as silent:
        silent.black_hole()
        with pytest.raises(TimeoutError, match=r"^no answer within 0\.5 s$"):
            await connect(silent.url, "test")


async def test_why_rabbitmq_refused_a_connection_is_told(broker: str, servers: Servers) -> None:
    unknown = urlsplit(broker)._replace(path="/no-such-vhost").geturl()
    with pytest.raises(UNAVAILABLE, match="vhost no-such-vhost not found"):
        await connect(unknown, "test")
    assert servers.management_url is not None
    Vhosts(servers.management_url).limit_connections(urlsplit(broker).path[1:], 1)
    async with await connect(broker, "test"):
        with pytest.raises(UNAVAILABLE, match=r"connection limit \(1\) is reached") as refused:
            await connect(broker, "test")
    account = urlsplit(broker)
    assert account.username
    assert account.password
    assert account.password not in str(refused.value)
    # The text is shown to everybody who asks whether the process is ready.
    assert f"'{account.username}'" not in str(refused.value)
