"""`python -m bench NAME`: runs one benchmark and keeps its figures in bench/RESULTS.md."""

import sys
from importlib import import_module

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m bench reports")
    import_module(f"bench.{sys.argv[1]}").main(sys.argv[2:])
