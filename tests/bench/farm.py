"""Many idle processes: one parent that forks sleepers, and ends with them when it is let go."""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType

from tests.bench.clocks import processes

# A sleeper waits for the end of a pipe that only its parent could write into: however that ends,
# they end as well.
_PARENT = """
import os, sys
line, end = os.pipe()
wanted = int(sys.argv[1])
born = []
for _ in range(wanted):
    pid = os.fork()
    if not pid:
        os.close(end)
        os.close(0)
        os.close(1)
        os.read(line, 1)
        os._exit(0)
    born.append(pid)
print(len(born), flush=True)
sys.stdin.read()
os.close(end)
for pid in born:
    os.waitpid(pid, 0)
"""


class Farm:
    """Fills the box up to `total` processes."""

    def __init__(self, total: int) -> None:
        self._more = max(0, total - processes())

    def __enter__(self) -> Farm:
        self._parent = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PARENT, str(self._more)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._parent.stdout
        self._parent.stdout.readline()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.close()
        self._parent.stdout.close()
        self._parent.wait(60)
