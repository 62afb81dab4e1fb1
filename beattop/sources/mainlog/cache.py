"""What old logs said, kept in the user's cache directory: a rotated file never changes again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from beattop.sources.mainlog.segment import Segment
from beattop.sources.mainlog.stored import from_bytes, to_bytes

_MOST_ENTRIES = 64
_MOST_BYTES = 16 << 20


def default_directory() -> Path | None:
    """`$XDG_CACHE_HOME/beattop/mainlog` or `~/.cache/...`; None where it would not be ours.

    With sudo HOME may still be another user's: nothing of root's is left there.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        home = Path(base) if base.startswith("/") else Path.home() / ".cache"
        nearest = next(path for path in (home, *home.parents) if path.exists())
        return home / "beattop" / "mainlog" if nearest.stat().st_uid == os.geteuid() else None
    except (OSError, RuntimeError):
        return None


class Cache:
    """Segments by key; whatever fails is as if nothing had been kept."""

    def __init__(self, directory: Path | None = None) -> None:
        """`directory` None, or one that cannot be written, keeps them in memory only."""
        self._directory = directory
        self._memory: dict[str, Segment] = {}

    def load(self, key: str, supervisor: str) -> Segment | None:
        """What was stored under `key`, or None."""
        found = self._memory.get(key)
        if found is not None or self._directory is None:
            return found
        try:
            path = self._path(self._directory, key)
            info = path.stat()
            if info.st_uid != os.geteuid() or info.st_size > _MOST_BYTES:
                return None
            return from_bytes(path.read_bytes(), supervisor)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def store(self, key: str, segment: Segment) -> None:
        """Keep it for the next time."""
        if self._directory is None or not self._write(self._directory, key, to_bytes(segment)):
            self._memory[key] = segment

    def _write(self, directory: Path, key: str, data: bytes) -> bool:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if directory.stat().st_uid != os.geteuid():
                return False
            handle, name = tempfile.mkstemp(dir=directory, suffix=".new")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                os.replace(name, self._path(directory, key))
            except OSError:
                os.unlink(name)
                return False
            files = sorted(directory.glob("*.json"), key=lambda path: path.stat().st_mtime)
            for path in files[:-_MOST_ENTRIES]:
                path.unlink(missing_ok=True)
        except OSError:
            return False
        return True

    @staticmethod
    def _path(directory: Path, key: str) -> Path:
        import hashlib  # noqa: PLC0415  brings OpenSSL, 3 MB: only where logs are kept

        return directory / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
