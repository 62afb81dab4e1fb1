"""Every supervisord of the box, or those the user named: the latest word of each, at any time."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from beattop.model.process import Process, ProcessKey, Usage
from beattop.model.source import SourceStatus
from beattop.model.supervisor import ProgramConfig, ProgramState, Supervisord
from beattop.sources.supervisor.discovery import child_urls, supervisords
from beattop.sources.supervisor.follower import Follower, Pace
from beattop.sources.supervisor.server import Server
from beattop.sources.supervisor.subject import NamedSubject, ProcessSubject
from beattop.sources.supervisor.word import Names, Word

_GHOST_S = 300.0
"""How long an ended supervisord is still told of."""
_GATE_S = 5.0
_HANDED_OVER_S = 5.0
"""How long a named one's last word counts while it ends or begins and nobody has asked it anew."""
_NONE = (
    "no supervisord runs on this box, or none that you may see: start one, name one with "
    "--supervisor, or look with sudo"
)


@dataclass(frozen=True, slots=True)
class SupervisorReading:
    """What is known at this moment; each part may be some seconds old and says so."""

    supervisords: tuple[Supervisord, ...] = ()
    programs: tuple[ProgramState, ...] = ()
    configs: tuple[ProgramConfig, ...] = ()
    sources: tuple[SourceStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ghost:
    word: Word
    gone: float


class SupervisorSource:
    """Follows supervisords in daemon threads, one each. All methods return at once but wait_first.

    `named` are those the user limits beattop to (none: all of the box); `known` only lend their
    user names and passwords to servers that are found.
    """

    def __init__(self, named: Sequence[Server] = (), known: Sequence[Server] = ()) -> None:
        self._named = tuple(named)
        self._known = tuple(known)
        self._names = Names()
        self._pace = Pace()
        self._changed = threading.Condition()
        self._by_process: dict[ProcessKey, Follower] = {}
        self._by_name: list[Follower] = []
        self._ghosts: dict[str, _Ghost] = {}
        self._last: tuple[float, dict[str, Word]] = (0.0, {})
        """The newest words of all named ones, and when."""
        self._observed = False

    def observe(self, processes: Sequence[Process], usage: Sequence[Usage] = ()) -> None:
        """Hear of the watched processes: new supervisords are followed, ended ones dropped."""
        found = {process.key: (process, call) for process, call in supervisords(processes, usage)}
        urls = child_urls(processes)
        stopped = {u.key for u in usage if u.state in "Tt"}
        for key in [key for key in self._by_process if key not in found]:
            self._bury(key, self._by_process[key])
        followers: dict[ProcessKey, Follower] = {}
        for key, (process, call) in found.items():
            follower = self._by_process.get(key)
            if follower is None:
                subject = ProcessSubject(process, call, self._names, self._named, self._known)
                subject.child_url, subject.stopped = urls.get(process.pid), key in stopped
                follower = Follower(subject, self._pace, self._tell)
                follower.start()
            self._update(follower, urls.get(process.pid), key in stopped)
            followers[key] = follower
        self._by_process = followers  # a new one: other threads may be reading the old
        self._follow_names(tuple(process for process, _ in found.values()))
        self._observed = True

    def set_looping(self, looping: bool) -> None:
        """Ask less often while some program respawns: each question makes it respawn faster."""
        self._pace.looping = looping

    def pace_s(self, took_s: float) -> float:
        """Seconds between two questions, after one that took so long."""
        return self._pace.interval_s(took_s)

    def refresh(self) -> None:
        """Ask every supervisord now: the user wants it, or something was just done."""
        for follower in (*self._by_process.values(), *self._by_name):
            follower.wake()

    def latest(self) -> SupervisorReading:
        """The newest word of each supervisord; empty before the first."""
        words: dict[str, Word] = {}
        sources: list[SourceStatus] = []
        followers = (*self._by_process.values(), *self._by_name)
        for follower in followers:
            word, trouble = follower.word, follower.trouble()
            if word is not None and word.supervisord.id not in words:
                words[word.supervisord.id] = word
                sources += [s for s in word.sources if not trouble or s.name != "supervisor"]
            sources += [trouble] if trouble else []
        words = self._bridged(words)
        for name, ghost in self._haunting(words).items():
            words[name] = ghost.word
            sources += ghost.word.sources
        if not sources and self._observed and all(f.looked for f in followers):
            sources.append(SourceStatus("supervisor", "", "absent", _NONE))
        return SupervisorReading(
            tuple(word.supervisord for word in words.values()),
            tuple(program for word in words.values() for program in word.programs),
            tuple(config for word in words.values() for config in word.configs),
            tuple(sources),
        )

    def _bridged(self, words: dict[str, Word]) -> dict[str, Word]:
        """The same with the last words of those that are handed from a process to a name, or back:
        their programs do not vanish for that moment, and their logs are followed on.
        """
        at, last = self._last
        if len(words) < min(len(self._named), len(last)):
            if time.monotonic() - at < _HANDED_OVER_S:
                return {**last, **words}
        else:
            self._last = time.monotonic(), words
        return words

    def server(self, supervisor_id: str) -> Server | None:
        """Address and credentials behind an id, for whoever may act on it."""
        for follower in (*self._by_process.values(), *self._by_name):
            word = follower.word
            if word is not None and word.supervisord.id == supervisor_id:
                return word.server
        return None

    def wait_first(self, seconds: float) -> bool:
        """Wait until each supervisord answered or failed once; False where time ran out before."""
        with self._changed:
            return self._changed.wait_for(self._all_looked, seconds)

    def stop(self) -> None:
        """No more looks; does not wait for those that go on."""
        for follower in (*self._by_process.values(), *self._by_name):
            follower.end()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _all_looked(self) -> bool:
        followers = (*self._by_process.values(), *self._by_name)
        return self._observed and all(f.looked or f.word is not None for f in followers)

    def _update(self, follower: Follower, url: str | None, stopped: bool) -> None:
        subject = follower.subject
        assert isinstance(subject, ProcessSubject)
        if url and url != subject.child_url and follower.word and not follower.word.server:
            follower.wake()  # now there is an address to try
        if stopped != subject.stopped:
            follower.wake()
        subject.child_url, subject.stopped = url or subject.child_url, stopped

    def _follow_names(self, processes: tuple[Process, ...]) -> None:
        if self._named and not self._by_name:
            self._by_name = [self._named_follower(name) for name in dict.fromkeys(self._named)]
            for follower in self._by_name:
                follower.start()
        for follower in self._by_name:
            subject = follower.subject
            assert isinstance(subject, NamedSubject)
            subject.processes = processes
            asleep = follower.word is None and follower.trouble() is None
            if follower.looked and self._matched(subject.named) != asleep:
                follower.wake()

    def _named_follower(self, name: Server) -> Follower:
        subject = NamedSubject(name, self._names, self._known, lambda: self._matched(name))
        return Follower(subject, self._pace, self._tell, self._gate)

    def _matched(self, name: Server) -> bool:
        return any(
            isinstance(f.subject, ProcessSubject) and f.subject.match == name
            for f in self._by_process.values()
        )

    def _gate(self) -> None:
        """Processes come first: one of them may be what a name means."""

        def told(follower: Follower) -> bool:
            subject = follower.subject
            known = isinstance(subject, ProcessSubject) and subject.match is not None
            return follower.looked or follower.word is not None or known

        with self._changed:
            self._changed.wait_for(lambda: all(map(told, self._by_process.values())), _GATE_S)

    def _bury(self, key: ProcessKey, follower: Follower) -> None:
        word = follower.word
        follower.end()
        if word is None or self._named:
            return
        told = word.supervisord
        words = (
            f"supervisord (pid {key.pid}) has ended: whatever it left running is no longer "
            "supervised, and nothing starts again"
        )
        status = SourceStatus("supervisor", told.id, "down", words, told.answered_at)
        gone = replace(told, key=None, answers=False, server_state=None, writable=False)
        self._ghosts[told.id] = _Ghost(Word(gone, (), (), (status,)), time.monotonic())

    def _haunting(self, words: dict[str, Word]) -> dict[str, _Ghost]:
        now = time.monotonic()
        self._ghosts = {
            name: ghost
            for name, ghost in self._ghosts.items()
            if name not in words and now - ghost.gone < _GHOST_S
        }
        return self._ghosts
