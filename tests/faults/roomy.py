"""The API's program with a relay that fills the queue without bound."""

from services.api.__main__ import main
from services.api.relay import room

room.LEAST = room.MOST = 1_000_000

if __name__ == "__main__":
    main()
