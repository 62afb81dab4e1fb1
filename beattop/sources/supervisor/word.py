"""What is known of one supervisord at one moment, put into the model's nouns."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from beattop.model.process import ProcessKey
from beattop.model.source import SourceStatus
from beattop.model.supervisor import ProgramConfig, ProgramState, Supervisord, namespec
from beattop.sources.supervisor.conf import ConfReading
from beattop.sources.supervisor.discovery import same_url
from beattop.sources.supervisor.server import Server
from beattop.text import clean, listing


@dataclass(frozen=True, slots=True)
class Word:
    """One supervisord, its programs, their configuration, and how the looking went."""

    supervisord: Supervisord
    programs: tuple[ProgramState, ...]
    configs: tuple[ProgramConfig, ...]
    sources: tuple[SourceStatus, ...]
    server: Server | None = field(default=None, repr=False)


class Names:
    """Gives each supervisord an id that no other has and that stays while it lives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: dict[str, object] = {}
        self._retired: list[object] = []

    def claim(
        self, owner: object, url: str | None, conf_name: str, pid: int | None, settled: bool = False
    ) -> str:
        """The server's URL, else `conf:/path`, else `conf:/path#PID` where that is taken.

        A URL learnt later replaces the conf's name; a URL that turned out to be another's is given
        back, unless the owner has answered under it (`settled`).
        """
        wishes = [clean(url)] if url else []
        wishes += [clean(f"conf:{conf_name}")] if conf_name else []
        wishes.append(clean(f"conf:{conf_name}#{pid or 0}"))
        with self._lock:
            if owner in self._retired:
                return wishes[0]
            mine = next((name for name, holder in self._given.items() if holder == owner), None)
            free = [w for w in wishes if self._given.get(w, owner) == owner]
            best = free[0] if free else wishes[-1]
            if mine is not None and ((settled and not url) or mine == best):
                return mine
            if mine is not None:
                del self._given[mine]
            self._given[best] = owner
            return best

    def release(self, owner: object) -> None:
        """Its id is free again."""
        with self._lock:
            self._free(owner)

    def retire(self, owner: object) -> None:
        """Its id is free, and it gets no other."""
        with self._lock:
            self._free(owner)
            self._retired = [*self._retired[-1000:], owner]

    def _free(self, owner: object) -> None:
        for name in [n for n, holder in self._given.items() if holder == owner]:
            del self._given[name]


def ctl(
    reading: ConfReading | None, conf: str | None, root: str, server: Server | None
) -> tuple[str, ...]:
    """How to call supervisorctl for it; () where it has no server."""
    if server is None or server.url is None:
        return ()
    by_url = ("supervisorctl", "-s", server.url)
    if root or not conf:
        return by_url
    by_conf = ("supervisorctl", "-c", conf)
    if reading is None or reading.status == "denied":
        return by_conf  # for someone who may read it
    section = reading.ctl
    return by_conf if section is not None and same_url(section.url, server.url) else by_url


def conf_status(
    reading: ConfReading | None, name: str, programs: Sequence[ProgramState] | None, at: float
) -> SourceStatus:
    """How the conf fares, and whether it is what runs."""
    if reading is None:
        words = (
            "its conf file is not known: it was started without -c, or with a path relative to a "
            "folder that may not be seen"
        )
        return SourceStatus("conf", name, "absent", words)
    status, detail = reading.status, reading.detail
    if status == "ok" and programs is not None:
        detail = drift(reading.programs, programs)
        status = "degraded" if detail else "ok"
    good = at if status in ("ok", "degraded") else None
    return SourceStatus("conf", name, status, detail, good)


def drift(configs: Sequence[ProgramConfig], programs: Sequence[ProgramState]) -> str:
    """In words, where the file and what supervisord holds differ; "" where they agree."""
    written: Mapping[tuple[str, str], None] = {(c.group, c.name): None for c in configs}
    loaded: Mapping[tuple[str, str], None] = {(p.group, p.name): None for p in programs}
    only_file = [namespec(*key) for key in written if key not in loaded]
    only_there = [namespec(*key) for key in loaded if key not in written]
    parts = []
    if only_file:
        parts.append(f"{listing(only_file)} {_be(only_file)} in the file, but not loaded")
    if only_there:
        parts.append(f"{listing(only_there)} {_be(only_there)} loaded, but not in the file")
    if not parts:
        return ""
    return f"it was changed since supervisord read it: {'; '.join(parts)}"


def _be(words: Sequence[str]) -> str:
    return "is" if len(words) == 1 else "are"


@dataclass(slots=True)
class Memory:
    """What is remembered of one supervisord between two looks."""

    key: ProcessKey | None
    root: str = ""
    conf: str | None = None
    conf_inode: tuple[int, int] | None = None
    cwd: str | None = None
    """Its working directory, where its programs start that name none."""
    reading: ConfReading | None = None
    read_at: float = 0.0
    programs: tuple[ProgramState, ...] | None = None
    answered_at: float | None = None
    version: str | None = None
    rpc_configs: tuple[ProgramConfig, ...] = ()

    @property
    def conf_name(self) -> str:
        """The conf as it is shown and told apart from other roots' confs."""
        return f"{self.root}{self.conf}" if self.conf else ""


def word(
    memory: Memory,
    supervisor_id: str,
    server: Server | None,
    status: SourceStatus | None,
) -> Word:
    """Everything remembered, as one word; `status` is the server's, None before it was asked."""
    reading = memory.reading
    configs = reading.of(supervisor_id, memory.cwd) if reading else ()
    asked = status is not None and (server is not None or status.status == "down")
    answers = (status is not None and status.status == "ok") if asked else None
    shutting = status is not None and "shutting down" in status.detail
    fresh = memory.programs if answers else None
    sources = [status] if status is not None else []
    if memory.conf or memory.key:  # a bare URL, perhaps of another machine, has none to miss
        sources.append(conf_status(reading, memory.conf_name, fresh, memory.read_at))
    told = Supervisord(
        id=supervisor_id,
        key=memory.key,
        conf=clean(memory.conf) if memory.conf else None,
        root=memory.root,
        log=reading.log if reading else None,
        url=server.url if server else None,
        version=memory.version,
        server_state="RUNNING" if answers else "SHUTDOWN" if shutting else None,
        answered_at=memory.answered_at,
        ctl=tuple(clean(part) for part in ctl(reading, memory.conf, memory.root, server)),
        answers=answers,
        conf_inode=memory.conf_inode,
        writable=status is None or status.status in ("ok", "timeout", "degraded"),
    )
    return Word(told, memory.programs or (), configs or memory.rpc_configs, tuple(sources), server)
