"""What the samples so far amount to: programs, beats and the CPU split, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from beattop.model.box import Host, Viewer
from beattop.model.commandline import CommandLine
from beattop.model.files import Handles, LastWords, Pidfile, ScheduleFile
from beattop.model.lives import Life
from beattop.model.logevents import Past
from beattop.model.process import Process, ProcessKey
from beattop.model.role import Role
from beattop.model.source import SourceStatus
from beattop.model.supervisor import ProgramConfig, State, Supervisord

Health = Literal["working", "respawning", "standby", "silent", "down"]
Origin = Literal["orphan", "foreign"]


class ProgramId(NamedTuple):
    """Names one supervised process across its lives."""

    supervisor: str
    group: str
    name: str

    @property
    def namespec(self) -> str:
        """As supervisorctl prints it."""
        return self.group if self.group == self.name else f"{self.group}:{self.name}"


@dataclass(frozen=True, slots=True)
class LastExit:
    """How a program's last unrequested life ended; exactly one of status and signal is set."""

    status: int | None
    signal: str | None
    at: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Member:
    """One live process of a program or of an unmanaged Celery."""

    process: Process
    role: Role
    line: CommandLine
    """What its command line says."""
    state: str
    """One letter as in proc_pid_stat(5)."""
    ppid: int
    cpu_pct: float | None
    rss_bytes: int | None
    cpu_s: float

    @property
    def key(self) -> ProcessKey:
        """Its pid and start."""
        return self.process.key


@dataclass(frozen=True, slots=True)
class Program:
    """One process of a supervisor program (contract: an entry of `programs`)."""

    id: ProgramId
    role: Role
    state: State | None
    state_at: float | None
    pid: int | None
    started_at: float | None
    uptime_s: float | None
    respawning: bool
    periodic: bool
    spawns_per_min: float | None
    spawns: int | None
    exits: int | None
    first_seen_at: float | None
    history_complete: bool
    lifetime_median_s: float | None
    last_exit: LastExit | None
    cpu_pct: float | None
    churn_pct: float | None
    rss_bytes: int | None
    last_error: str | None
    members: tuple[Member, ...]
    """Its live processes, leader first, in tree order."""
    config: ProgramConfig | None = None
    lives: tuple[Life, ...] = ()
    """The last ones, oldest first, the present one included."""
    past: Past | None = None
    """Counts by hour, exit counts: everything known up to now."""
    loop_since_at: float | None = None
    loop_exits: int = 0
    last_words: LastWords | None = None
    spawnerr: str = ""
    cpu_estimated: bool = False
    """True where a dead life's share was divided up, not read from its clock."""
    cpu_s: float = 0.0
    """Core-seconds it used since the observation began, living and dead."""
    stdout_log: str | None = None
    stderr_log: str | None = None
    recovered: bool = False

    @property
    def namespec(self) -> str:
        """As supervisorctl prints it."""
        return self.id.namespec

    @property
    def leader(self) -> Member | None:
        """The process that supervisord started."""
        return self.members[0] if self.members else None


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A Celery root outside every supervisord (contract: an entry of `unmanaged`)."""

    member: Member
    role: Role
    origin: Origin
    was: str | None
    """Namespec of the program whose left-over it is."""
    cpu_pct: float | None
    rss_bytes: int | None
    children: tuple[Member, ...] = ()
    was_supervisor: str | None = None
    unit: str | None = None
    """systemd unit whose cgroup it lives in; such a process would be started again."""
    container: str | None = None
    runner: str | None = None
    """A live parent that would start it again: honcho, watchmedo, cron ..."""


class BeatKey(NamedTuple):
    """Whose schedule a beat sends (contract: `key`); values masked, None where not known."""

    app: str | None
    cwd: str | None
    broker: str | None


@dataclass(frozen=True, slots=True)
class Beat:
    """One living process that schedules, or one beat program without a process."""

    key: BeatKey
    pid: int | None
    namespec: str | None
    supervisor: str | None
    embedded: bool
    health: Health | None
    pidfile: str | None
    """Resolved path; None where it has none or it is not known."""
    schedule: str | None
    scheduler: str | None
    program: ProgramId | None = None
    process: ProcessKey | None = None
    started_at: float | None = None
    line: CommandLine | None = None
    env: tuple[tuple[str, str], ...] = ()
    broker_full: str | None = None
    """Broker as it is compared: from the option, the environment or the settings; masked."""
    pidfile_fact: Pidfile | None = None
    holds_pidfile: bool | None = None
    """True where the pidfile names this process and it began before the file was written."""
    schedule_fact: ScheduleFile | None = None
    handles: Handles | None = None
    uid: int | None = None
    user: str | None = None
    pid_ns: int | None = None
    unmanaged: bool = False
    origin: Origin | None = None
    unit: str | None = None
    container: str | None = None
    runner: str | None = None
    was: str | None = None
    was_supervisor: str | None = None
    last_sent_at: float | None = None
    """When it last proved that it sends: a log line or its schedule file's mtime."""
    main_pid: int | None = None
    """The process whose command line says how it schedules: the worker's, where embedded."""
    state: str | None = None
    since_at: float | None = None
    """When it, or the worker that embeds it, began."""


@dataclass(frozen=True, slots=True)
class CpuSplit:
    """CPU in percent of one core over the window; None where two samples are not there yet."""

    cores: int
    busy_pct: float | None
    supervised_pct: float | None
    churn_pct: float | None
    other_pct: float | None


@dataclass(frozen=True, slots=True)
class Burnt:
    """What respawning cost so far, in core-seconds."""

    observed_s: float = 0.0
    """Churn since the observation began."""
    since_start_s: float | None = None
    """All reaped children of the supervisords that respawn, since those started."""
    since_at: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a face shows, derived from the samples up to `at`; no clock, no I/O."""

    at: float
    observed_s: float
    host: Host
    viewer: Viewer
    cpu: CpuSplit
    load: tuple[float, float, float]
    sources: tuple[SourceStatus, ...]
    supervisords: tuple[Supervisord, ...]
    supervisord_members: tuple[tuple[str, Member], ...]
    """(supervisor id, its own process)."""
    programs: tuple[Program, ...]
    unmanaged: tuple[Unmanaged, ...]
    beats: tuple[Beat, ...]
    pidfiles: tuple[Pidfile, ...] = ()
    schedules: tuple[ScheduleFile, ...] = ()
    burnt: Burnt = field(default_factory=Burnt)
    limited_to: tuple[str, ...] = ()
    """Supervisors the user named with --supervisor; empty for all."""
