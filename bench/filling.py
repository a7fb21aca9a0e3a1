"""The API's program, whose relay fills the broker's queue with all that is due, whoever takes it."""

from services.api.__main__ import main
from services.api.relay import room

room.LEAST = room.MOST = 1_000_000_000

if __name__ == "__main__":
    main()
