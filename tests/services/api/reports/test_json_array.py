import json

import pytest

from services.api.reports.json_array import JsonArray

OBJECTS = [b'{"id":1}', b'{"id":2}', b'{"id":3}']


@pytest.mark.parametrize("pieces", [[], [3], [1, 2], [2, 1], [1, 1, 1]])
async def test_the_same_array_comes_of_any_pieces(pieces: list[int]) -> None:
    written: list[bytes] = []

    async def write(piece: bytes) -> None:
        written.append(piece)

    array, objects = JsonArray(write), list(OBJECTS)
    for size in pieces:
        await array.add([objects.pop(0) for _ in range(size)])
        assert array.begun
    await array.end()
    whole = b'[{"id":1}\n,{"id":2}\n,{"id":3}\n]' if pieces else b"[]"
    assert b"".join(written) == whole
    assert len(json.loads(whole)) == sum(pieces)


async def test_an_array_has_not_begun_if_its_first_objects_were_not_written() -> None:
    async def write(_: bytes) -> None:
        raise TimeoutError

    array = JsonArray(write)
    with pytest.raises(TimeoutError):
        await array.add(OBJECTS)
    assert not array.begun
