"""A DNS server on 127.0.0.1 with TXT and other records, for UDP and TCP."""

import asyncio
import struct
from collections.abc import Mapping, Sequence
from typing import Self, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

_UDP_OCTETS_MAX = 512


class Dns:
    """Answers for names with a final dot; each value is a TXT record as zone files have it.

    Records of another type have it behind their name: `bounces.example. MX`. A name that is not
    among the records does not exist. With `rcode`, it answers only that.
    """

    def __init__(self, records: Mapping[str, Sequence[str]], *, port: int = 0) -> None:
        self.records = records
        self.port = port
        self.rcode: int | None = None
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        self._tcp = await asyncio.start_server(self._stream, "127.0.0.1", self.port)
        self.port = self._tcp.sockets[0].getsockname()[1]
        self._udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port)
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._udp.close()
        self._tcp.close()

    def answer(self, wire: bytes) -> dns.message.Message:
        query = dns.message.from_wire(wire)
        answer = dns.message.make_response(query)
        question = query.question[0]
        name = question.name.to_text().lower()
        self.asked.append(name)
        if self.rcode is not None:
            answer.set_rcode(dns.rcode.Rcode(self.rcode))
        kind = dns.rdatatype.to_text(question.rdtype)
        found = self.records.get(name if kind == "TXT" else f"{name} {kind}")
        if self.rcode is None and found:
            answer.answer = [dns.rrset.from_text(question.name, 60, "IN", kind, *found)]
        elif self.rcode is None and not self._has(name):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

    def _has(self, name: str) -> bool:
        return any(each.partition(" ")[0] == name for each in self.records)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            wire = self.answer(await reader.readexactly(length)).to_wire()
            writer.write(struct.pack("!H", len(wire)) + wire)
            await writer.drain()
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Dns) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data)
        if len(answer.to_wire()) > _UDP_OCTETS_MAX:
            answer.flags |= dns.flags.TC
            answer.answer = []
        self._transport.sendto(answer.to_wire(), addr)
