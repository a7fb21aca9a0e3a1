"""`python -m bench [NAME]`: measures one thing, or all; the figures are kept in bench/RESULTS.md."""

import sys
from importlib import import_module

NAMES = ("reports", "sends", "fairness")

if __name__ == "__main__":
    wanted, arguments = sys.argv[1:2] or NAMES, sys.argv[2:]
    for name in wanted:
        import_module(f"bench.{name}").main(arguments)
