"""`beattop` and `python -m beattop`."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


class _Ended(SystemExit):
    """A signal asked for the end."""


def _end(number: int, frame: FrameType | None) -> None:
    raise _Ended(128 + number)


def main() -> None:
    """Run the command line; exit statuses are those of the README."""
    if not sys.platform.startswith("linux"):
        print(
            f"beattop: reads Linux's /proc and does not run on {sys.platform}: "
            "run it on the box in question",
            file=sys.stderr,
        )
        raise SystemExit(2)
    # Closed by whoever started it (`>&-`): what is said goes nowhere, quietly.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        # nohup's choice is kept.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    # http.client and asyncio load OpenSSL where they find it: 4 MB and 10 ms, and for nothing, as
    # supervisord speaks no TLS.
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type]
    from beattop.cli import run  # noqa: PLC0415  after the handlers: importing takes a moment

    try:
        status = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has gone; what the interpreter would still flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 128 + signal.SIGPIPE
    raise SystemExit(status)


if __name__ == "__main__":
    main()
