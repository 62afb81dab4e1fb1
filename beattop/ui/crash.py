"""What is left of a screen that failed: one line for the user, the details in a file."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from pathlib import Path

from beattop.text import safe


def crashed(error: BaseException | None, environ: Mapping[str, str] = os.environ) -> str:
    """Keep the traceback in the state directory; returns the line that says so."""
    what = f"{type(error).__name__}: {error}" if error is not None else "an unknown error"
    line = f"beattop: the screen failed ({safe(what)[:200]})"
    base = environ.get("XDG_STATE_HOME", "")
    folder = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    path = folder / "beattop" / "crash.txt"
    details = "".join(traceback.format_exception(error)) if error is not None else what
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(safe(row) for row in details.splitlines()) + "\n")
    except OSError:
        return f"{line}; use --once"
    return f"{line}; the details are in {path}. Until it is mended: --once"
