"""A TCP proxy between a process and a server, which can stop passing bytes."""

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Link:
    """One connection through the proxy; once silent it stays so, because bytes were lost."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.silent = False
        self.answers = asyncio.Event()
        self.answers.set()

    def reset(self) -> None:
        """Cut both ends."""
        for writer in (self.client, self.server):
            if writer is not None:
                writer.transport.abort()


class Proxy:
    """Passes bytes on to the server of `url`; `self.url` is the URL through this proxy."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._port = 0
        self._silent = False
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.links: list[Link] = []

    @property
    def url(self) -> str:
        """The URL of the server through this proxy."""
        user = self._target.netloc.rpartition("@")[0]
        return self._target._replace(netloc=f"{user}@127.0.0.1:{self._port}").geturl()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        self.drop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def black_hole(self) -> None:
        """Discard all bytes of present and future connections, and leave the connections open."""
        self._silent = True
        self.half_open()

    def half_open(self) -> None:
        """Silence the current connections permanently; new ones work."""
        for link in self.links:
            link.silent = True

    def heal(self) -> None:
        """Serve new connections again."""
        self._silent = False

    def drop(self) -> None:
        """Reset all current connections."""
        for link in self.links:
            link.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        link = Link(writer)
        self.links.append(link)
        try:
            if self._silent:
                link.silent = True
                while await reader.read(65536):
                    pass
                return
            host, port = self._target.hostname, self._target.port
            answers, link.server = await asyncio.open_connection(host, port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._requests(link, reader))
                both.create_task(self._answers(link, answers))
        except* (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            link.reset()
            self.links.remove(link)
            self._tasks.discard(task)

    async def _requests(self, link: Link, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            await self.pass_on(link, data)
        raise ConnectionResetError

    async def pass_on(self, link: Link, data: bytes) -> None:
        """Pass the client's bytes to the server, unless the link is silent."""
        if not link.silent and link.server is not None:
            link.server.write(data)
            await link.server.drain()

    async def _answers(self, link: Link, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            await link.answers.wait()
            if not link.silent:
                link.client.write(data)
                await link.client.drain()
        if link.silent:  # the peer of a black hole hears nothing of an end either
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        raise ConnectionResetError
