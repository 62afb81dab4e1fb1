"""`python -m tests.bench`: measures, prints one table, and puts it into the README if asked to."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path

from tests.bench.table import Row, lines, where, write

SECTIONS = ("screens", "sampler", "recall", "storm", "split", "laid", "naming", "history", "keys")
README = Path(__file__).resolve().parents[2] / "README.md"


def main() -> int:
    """Exit status 0 whatever was measured, for a benchmark is no test; 1 where it could not be."""
    ask = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    ask.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    ask.add_argument("--quick", action="store_true", help="some 90 s instead of six minutes")
    ask.add_argument(
        "--write-readme", action="store_true", help=f"between markers of {README.name}"
    )
    asked = ask.parse_args()
    unknown = set(asked.sections) - set(SECTIONS)
    if unknown:
        ask.error(f"no such section: {', '.join(sorted(unknown))}")
    found: list[Row] = []
    failed: list[str] = []
    for name in asked.sections or SECTIONS:
        begun = time.monotonic()
        try:
            for row in importlib.import_module(f"tests.bench.{name}").rows(asked.quick):
                print("  ".join(cell for cell in row.cells() if cell), file=sys.stderr, flush=True)
                found.append(row)
        except Exception:  # the other sections are still worth having
            failed.append(name)
            traceback.print_exc()
        print(f"{name} took {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    print(where())
    print("\n".join(lines(found)))
    if failed:
        print(f"could not be measured: {', '.join(failed)}", file=sys.stderr)
        return 1
    if asked.write_readme:
        write(README, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
