"""`python -m bench [NAME]`: runs one benchmark, or all; the results are in bench/RESULTS.md."""

import sys
from importlib import import_module

NAMES = (
    "reports",
    "views",
    "aging",
    "formats",
    "statements",
    "signing",
    "sends",
    "batches",
    "fairness",
    "sizes",
)

if __name__ == "__main__":
    wanted, arguments = sys.argv[1:2] or NAMES, sys.argv[2:]
    for name in wanted:
        import_module(f"bench.{name}").main(arguments)
