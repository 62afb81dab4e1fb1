"""The raw facts of one instant, nothing derived: what a recording holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from beattop.model.box import CpuTimes, Host, Viewer
from beattop.model.files import Handles, LastWords, Pidfile, ScheduleFile
from beattop.model.lifecycle import LifecycleEvent
from beattop.model.logevents import LogEvent, Past
from beattop.model.process import Process, Usage
from beattop.model.source import SourceStatus
from beattop.model.supervisor import ProgramConfig, ProgramState, Supervisord

STEP_S: Final = 0.5
"""Less is the time that passes between two readings of two clocks on a busy box: no clock was set.
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the box. Times are Unix seconds; every tuple may be empty."""

    at: float
    host: Host
    viewer: Viewer
    cpu: CpuTimes
    processes: tuple[Process, ...]
    """Watched processes: under a supervisord, Celery's, or left over from either."""
    usage: tuple[Usage, ...]
    lifecycle: tuple[LifecycleEvent, ...]
    """Since the sample before; of watched processes only."""
    supervisords: tuple[Supervisord, ...]
    programs: tuple[ProgramState, ...]
    configs: tuple[ProgramConfig, ...]
    log_events: tuple[LogEvent, ...]
    """Since the sample before; what came earlier is in `pasts`."""
    pasts: tuple[Past, ...]
    """The logs up to the moment the present began to be followed."""
    pidfiles: tuple[Pidfile, ...]
    schedules: tuple[ScheduleFile, ...]
    handles: tuple[Handles, ...]
    last_words: tuple[LastWords, ...]
    sources: tuple[SourceStatus, ...]
    older: tuple[Past, ...] = ()
    """What still older logs say, read in the background: everything before `pasts`."""
    limited_to: tuple[str, ...] = ()
    """Supervisor ids the user named; empty for all."""
    up_s: float | None = None
    """Seconds since boot (CLOCK_BOOTTIME), which nobody sets; None in older recordings."""

    @property
    def steady_s(self) -> float:
        """What intervals are measured with: `at` may be set back or forth (settimeofday(2))."""
        return self.at if self.up_s is None else self.up_s
