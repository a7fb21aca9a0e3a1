"""The decoding of messages from RabbitMQ, whatever their senders wrote into them.

RabbitMQ passes on properties and headers unchecked: texts that are no UTF-8, times beyond the
calendar. pamqp raises an error at these, and aiormq then closes the connection with all messages on
it. One such message would block a queue, and send the others to the dead letters.
"""

import struct
from collections.abc import Callable

from pamqp import decode
from pamqp.common import FieldValue

_LENGTH = struct.Struct(">I")


def tolerate() -> None:
    """From now on, decode what cannot be read as if it were not there."""
    decode.METHODS["shortstr"] = _short_text
    decode.METHODS["table"] = decode.TABLE_MAPPING[b"F"] = _table
    decode.METHODS["timestamp"] = _time


def _short_text(value: bytes) -> tuple[int, str]:
    end = 1 + value[0]
    return end, value[1:end].decode(errors="ignore")


def _time(value: bytes) -> tuple[int, FieldValue]:
    return _read(decode.timestamp, value) or (8, None)


def _table(value: bytes) -> tuple[int, FieldValue]:
    (length,) = _LENGTH.unpack_from(value)
    return _read(decode.field_table, value) or (_LENGTH.size + length, {})


def _read(
    reader: Callable[[bytes], tuple[int, FieldValue]], value: bytes
) -> tuple[int, FieldValue] | None:
    try:
        return reader(value)
    except Exception:  # noqa: BLE001 -- whatever it is, the connection must survive it
        return None
