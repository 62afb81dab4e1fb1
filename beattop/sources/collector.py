"""Sources to samples, in one daemon thread that cannot die silently."""

from __future__ import annotations

import math
import os
import pwd
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from beattop.model.box import Viewer
from beattop.model.commandline import classify
from beattop.model.frame import HistoryProgress
from beattop.model.lifecycle import LifecycleEvent
from beattop.model.sample import Sample
from beattop.model.source import SourceName, SourceStatus
from beattop.model.supervisor import Supervisord
from beattop.settings import ConfigError, ServerSetting, Settings
from beattop.sources.between import Between, Name, News, Ration
from beattop.sources.celery.beatfiles import BeatFiles, BeatReading
from beattop.sources.lifecycle import Drained, Hearing, Lifecycle
from beattop.sources.mainlog.logs import UNASKED_BYTES, LogReading, Logs
from beattop.sources.proc import ProcessReading, Sampler
from beattop.sources.supervisor.reader import SupervisorReading, SupervisorSource
from beattop.sources.supervisor.server import Server, parse
from beattop.text import safe

T = TypeVar("T")

_SETTLE_S = 0.03
"""supervisord writes its log line a few milliseconds after a death (6 ms in the median)."""
_LISTEN_S = 0.1
"""At most so often is it asked who died."""
_EARLY = {News.DEATH: (4, 2.0), News.ROW: (20, 0.5)}
"""Samples taken early: so many at once, then one in so many seconds. Many programs may begin to
loop at once, and each is to be named at once; most deaths are no loop."""
_OPENING_S = (0.25, 0.5)
"""The first samples follow each other faster: supervisord's answers are on their way."""
_RETRY_S = 1.0
_PATIENCE_S = (8.0, 6.0)
_EAGERNESS_S = (0.8, 0.2)
"""How long the first sample waits for supervisord's first answer, and for the beats' files."""


def interesting(argv: Sequence[str]) -> bool:
    """Whether a command line has to do with Celery."""
    return classify(argv).role != "other"


def servers(settings: Iterable[ServerSetting]) -> tuple[Server, ...]:
    """As the supervisor source takes them; raises ConfigError."""
    return tuple(_server(setting) for setting in settings)


def _server(setting: ServerSetting) -> Server:
    try:
        return parse(setting.target, setting.username, setting.password)
    except ValueError as error:
        raise ConfigError(f"{setting.told_by} {error}") from None


class Collector:
    """Looks at the box once an interval, and early when something died."""

    def __init__(self, settings: Settings, patient: bool = False, old_logs: bool = False) -> None:
        """The first sample waits a moment for supervisord's first answer, so that the first frame
        has it; `patient`, for a single look, waits for a slow one too; `old_logs`
        are read however large. Raises ConfigError for a supervisor that cannot be meant.
        """
        self._settings = settings
        self._patient = patient
        self._named = servers(settings.supervisors)
        self._supervisors = SupervisorSource(self._named, servers(settings.credentials))
        self._logs = Logs(self._supervisors.server, math.inf if old_logs else UNASKED_BYTES)
        self._files = BeatFiles(self._supervisors.server)
        self._lifecycle: Lifecycle | None = None
        self._sampler: Sampler | None = None
        self._broken: dict[str, SourceStatus] = {}
        """By the name of the call that failed."""
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._between = Between()
        self._told: tuple[Supervisord, ...] = ()
        self._died = False
        self._listened_at = time.monotonic()
        self._early = {news: Ration(*each, self._listened_at) for news, each in _EARLY.items()}
        self._factor = 1.0
        self._trouble: str | None = None
        self._thread: threading.Thread | None = None
        self._viewer = _viewer(settings.read_only)

    def start(self, take: Callable[[Sample], None]) -> None:
        """Begin; `take` gets each sample in the collector's thread."""
        self._thread = threading.Thread(
            target=self._run, args=(take,), name="beattop-collector", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End; waits half a second at most."""
        self._ended.set()
        self._wake.set()
        self._supervisors.stop()
        self._files.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(0.5)

    def trouble(self) -> str | None:
        """Why no samples come, in words; None while they do."""
        thread = self._thread
        if thread is not None and not thread.is_alive() and not self._ended.is_set():
            return self._trouble or "the collector's thread has ended"
        return self._trouble

    def refresh(self) -> None:
        """Ask supervisord now, and look again."""
        self._supervisors.refresh()
        self._wake.set()

    def slow(self, factor: float) -> None:
        """Stretch the interval; 1 is as configured."""
        self._factor = max(1.0, factor)

    def hint(self, looping: Collection[Name]) -> None:
        """The programs that are seen to respawn: asking a supervisord speeds up its loops, so it
        is asked less; and their deaths are no news.
        """
        self._supervisors.set_looping(bool(looping))
        self._between.looping = looping

    def server(self, supervisor: str) -> Server | None:
        """Address and credentials behind a supervisor's id."""
        return self._supervisors.server(supervisor)

    def reading(self) -> bool:
        """Whether old logs are being read."""
        return self._logs.reading()

    def pace_s(self, took_s: float) -> float:
        """Seconds between two questions to a supervisord, after one that took so long."""
        return self._supervisors.pace_s(took_s)

    def history(self, on_progress: Callable[[HistoryProgress], None]) -> Callable[[], None]:
        """Read old logs in the background; returns what cancels it."""
        return self._logs.history(on_progress)

    def _run(self, take: Callable[[Sample], None]) -> None:
        number = 0
        self._prepare(*(_PATIENCE_S if self._patient else _EAGERNESS_S))
        begun = time.monotonic()
        while not self._ended.is_set():
            try:
                take(self._sample())
                self._trouble = None
            except Exception as error:  # noqa: BLE001  the thread's boundary: it must not die unseen
                self._trouble = f"looking at the box fails: {type(error).__name__}: {error}"
                self._trouble = safe(self._trouble)
                self._ended.wait(_RETRY_S)
            number += 1
            begun = self._pause(begun, number)
        self._close()

    def _prepare(self, answer_s: float, files_s: float) -> None:
        """Looks that are not handed over, and what supervisord and the files say to them."""
        try:
            self._sample()
            self._supervisors.wait_first(answer_s)
            self._sample()
            self._files.wait_first(files_s)
        except Exception as error:  # noqa: BLE001  the loop that follows meets and tells it again
            self._trouble = safe(f"looking at the box fails: {type(error).__name__}: {error}")

    def _pause(self, begun: float, number: int) -> float:
        """Wait for the next turn; returns when it begins."""
        interval = self._settings.interval * self._factor
        if number <= len(_OPENING_S):
            interval = min(interval, _OPENING_S[number - 1])
        due = begun + interval
        while not self._ended.is_set():
            now = time.monotonic()
            if now >= due:
                # A late turn does not make the next ones hurry.
                return max(due, now - interval / 2)
            self._wake.wait(due - now)
            if not self._wake.is_set():
                continue
            self._wake.clear()
            if not self._died:
                return time.monotonic()
            self._died = False
            if self._worth_a_look():
                return time.monotonic()
        return time.monotonic()

    def _worth_a_look(self) -> bool:
        """Whether a program died just now of which that is news, and looks are left for it."""
        rest = self._listened_at + _LISTEN_S - time.monotonic()
        self._ended.wait(max(_SETTLE_S, rest))
        now = self._listened_at = time.monotonic()
        news = self._news()
        # A row of deaths may use what single ones left.
        return any(self._early[each].take(now) for each in News if News.NONE < each <= news)

    def _news(self) -> News:
        if self._lifecycle is None:
            return News.NONE
        drained = self._guarded("lifecycle", self._lifecycle.drain, Drained())
        logs = self._guarded("mainlog", lambda: self._logs.poll(self._told), LogReading())
        return self._between.hear(drained, logs.events, self._told)

    def _on_exit(self) -> None:
        self._died = True
        self._wake.set()

    def _guarded(self, name: SourceName, call: Callable[[], T], otherwise: T, step: str = "") -> T:
        """One source's failure is its own: it is told, and the others go on."""
        try:
            value = call()
        except Exception as error:  # noqa: BLE001  a source's boundary
            words = safe(f"fails: {type(error).__name__}: {error}; please report it")
            self._broken[name + step] = SourceStatus(name, "", "down", words)
            return otherwise
        self._broken.pop(name + step, None)
        return value

    def _sample(self) -> Sample:
        if self._lifecycle is None:
            self._lifecycle = Hearing(self._settings.lifecycle, self._on_exit)  # type: ignore[arg-type]
        if self._sampler is None:
            self._sampler = Sampler(interesting)
        lifecycle, sampler = self._lifecycle, self._sampler
        drained = self._between.drained(self._guarded("lifecycle", lifecycle.drain, Drained()))
        # Not before what may wait: the sampler reads the clock that nobody sets next, and time
        # between the two would look like a step.
        now = time.time()
        reading = sampler.sample(now, drained.births, drained.execs, drained.rescan)
        seen: tuple[LifecycleEvent, ...] = self._guarded(
            "lifecycle", lambda: lifecycle.observe(reading), (), "observe"
        )
        told = self._guarded("supervisor", lambda: self._ask(reading), SupervisorReading())
        self._told = told.supervisords
        logs = self._guarded("mainlog", lambda: self._logs.poll(told.supervisords), LogReading())
        files = self._guarded("pidfile", lambda: self._look(reading, told), BeatReading())
        return Sample(
            at=now,
            host=reading.host,
            viewer=self._viewer,
            cpu=reading.cpu,
            processes=reading.processes,
            usage=reading.usage,
            lifecycle=(*drained.events, *seen),
            supervisords=told.supervisords,
            programs=told.programs,
            configs=told.configs,
            log_events=self._between.logged(logs.events),
            pasts=logs.pasts,
            pidfiles=files.pidfiles,
            schedules=files.schedules,
            handles=files.handles,
            last_words=files.last_words,
            sources=self._statuses(
                sampler.status(), lifecycle.status(), told.sources, logs.sources, files.sources
            ),
            older=logs.older,
            up_s=reading.up_s,
            limited_to=tuple(s.id for s in told.supervisords) if self._named else (),
        )

    def _ask(self, reading: ProcessReading) -> SupervisorReading:
        self._supervisors.observe(reading.processes, reading.usage)
        return self._supervisors.latest()

    def _look(self, reading: ProcessReading, told: SupervisorReading) -> BeatReading:
        self._files.observe(
            reading.processes, reading.usage, told.programs, told.configs, told.supervisords
        )
        return self._files.latest()

    def _statuses(
        self,
        processes: SourceStatus,
        lifecycle: SourceStatus,
        *others: tuple[SourceStatus, ...],
    ) -> tuple[SourceStatus, ...]:
        found = [processes, lifecycle, *(s for group in others for s in group)]
        broken = tuple({s.name: s for s in self._broken.values()}.values())
        names = {s.name for s in broken}
        return (*broken, *(s for s in found if s.name not in names))

    def _close(self) -> None:
        if self._lifecycle is not None:
            self._lifecycle.close()
        if self._sampler is not None:
            self._sampler.close()


def _viewer(read_only: bool) -> Viewer:
    uid = os.getuid()
    try:
        pid_ns = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        pid_ns = None
    return Viewer(uid, _user(uid), read_only, os.getpid(), pid_ns)


def _user(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
