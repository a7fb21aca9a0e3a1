"""The API's program, whose relay fills the broker's queue as if somebody took all of it at once."""

from services.api.__main__ import main
from services.api.relay import room

room.LEAST = room.MOST = 1_000_000

if __name__ == "__main__":
    main()
