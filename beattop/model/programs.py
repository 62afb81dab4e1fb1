"""Supervised programs as they stand: one Program for each process of each supervisor program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from beattop.model.beats import config_line
from beattop.model.cpu import Accounts
from beattop.model.files import LastWords
from beattop.model.lives import Life, Lives, merge
from beattop.model.logevents import Past
from beattop.model.members import leading_role
from beattop.model.process import ProcessKey
from beattop.model.respawn import Loop, judge
from beattop.model.role import Role
from beattop.model.sample import Sample
from beattop.model.snapshot import Member, Program, ProgramId
from beattop.model.supervisor import ProgramConfig, ProgramState
from beattop.model.words import last_error


@dataclass(slots=True)
class Roles:
    """The last role each program was seen in: between two lives there is no process to tell."""

    known: dict[ProgramId, Role] = field(default_factory=dict)
    _configured: dict[ProgramId, tuple[ProgramConfig, Role | None]] = field(default_factory=dict)

    def of(self, program: ProgramId, found: Sequence[Member], config: ProgramConfig | None) -> Role:
        """By its processes, else as last seen, else by its configured command."""
        role = leading_role(found)
        if role is not None:
            self.known[program] = role
            return role
        if program in self.known:
            return self.known[program]
        if config is not None:
            cached = self._configured.get(program)
            if cached is None or cached[0] is not config:
                line = config_line(config)
                cached = (config, line.role if line else None)
                self._configured[program] = cached
            if cached[1] not in (None, "wrapper"):
                return cached[1] or "other"
        return found[0].role if found and found[0].role != "wrapper" else "other"


def program_ids(
    sample: Sample, logged: Sequence[tuple[str, str]], running: Iterable[ProgramId] = ()
) -> tuple[ProgramId, ...]:
    """All programs: as each supervisord lists them, else as its conf does, else as its log and
    the environment of its processes (`running`) do."""
    out: dict[ProgramId, None] = {}
    listed: set[str] = set()
    order = {ProgramId(c.supervisor, c.group, c.name): c.order for c in sample.configs}
    states = sorted(
        (ProgramId(s.supervisor, s.group, s.name) for s in sample.programs),
        key=lambda p: (p.supervisor, order.get(p, 1 << 30)),
    )
    for program in states:
        out[program] = None
        listed.add(program.supervisor)
    for config in sample.configs:
        if config.supervisor not in listed:
            out[ProgramId(config.supervisor, config.group, config.name)] = None
    listed |= {c.supervisor for c in sample.configs}
    named = {(p.supervisor, p.name): p for p in running}
    for supervisor, name in logged:
        if supervisor not in listed and (supervisor, name) not in named:
            out[ProgramId(supervisor, name, name)] = None
    out.update((p, None) for p in named.values() if p.supervisor not in listed)
    return tuple(out)


@dataclass(frozen=True, slots=True)
class Material:
    """What a Program is built from besides its processes."""

    states: Mapping[ProgramId, ProgramState]
    configs: Mapping[ProgramId, ProgramConfig]
    words: Mapping[ProgramId, LastWords]
    holders: frozenset[ProcessKey]
    """The processes that wrote the pidfiles which name them."""

    @classmethod
    def of(cls, sample: Sample) -> Material:
        """From one sample."""
        return cls(
            {ProgramId(s.supervisor, s.group, s.name): s for s in sample.programs},
            {ProgramId(c.supervisor, c.group, c.name): c for c in sample.configs},
            {ProgramId(w.supervisor, w.group, w.name): w for w in sample.last_words},
            frozenset(p.holder for p in sample.pidfiles if p.holder and not p.outlived),
        )


def build(
    program: ProgramId,
    found: tuple[Member, ...],
    material: Material,
    lives: Lives | None,
    older: Past | None,
    settled: bool,
    accounts: Accounts,
    window: tuple[float, Mapping[ProgramId, float], frozenset[ProgramId]],
    role: Role,
    at: float,
    judged: Judgements,
) -> Program:
    """One program at `at`; `window` is (seconds, core-seconds by program, estimated ones)."""
    state = material.states.get(program)
    config = material.configs.get(program)
    words = material.words.get(program)
    seconds, used, estimated = window
    cpu = 100 * max(0.0, used.get(program, 0.0)) / seconds if seconds > 0 else None
    let_in = any(member.key in material.holders for member in found)
    burnt = accounts.minute_pct(program)
    leader = found[0] if found else None
    alive = leader is not None and leader.state != "Z"
    uptime = max(0.0, at - leader.process.started_at) if leader and alive else None
    loop = judged.loop(program, lives, config, at, settled, burnt, let_in, uptime)
    past = judged.past(program, lives, older)
    churn = None if cpu is None else (cpu if loop.respawning else 0.0)
    return Program(
        id=program,
        role=role,
        state=state.state if state else None,
        state_at=state.state_at if state else None,
        pid=leader.process.pid if leader else None,
        started_at=leader.process.started_at if leader else None,
        uptime_s=uptime,
        respawning=loop.respawning,
        periodic=loop.periodic,
        spawns_per_min=loop.spawns_per_min,
        spawns=past.spawns if past else None,
        exits=past.exits if past else None,
        first_seen_at=past.first_at if past else None,
        history_complete=past.complete if past else False,
        lifetime_median_s=loop.lifetime_median_s,
        last_exit=loop.last_exit,
        cpu_pct=cpu,
        churn_pct=churn,
        rss_bytes=sum(m.rss_bytes or 0 for m in found) if found else None,
        last_error=last_error(words.lines) if words and _failing(loop, state) else None,
        members=found,
        config=config,
        lives=lives.lives if lives else (),
        past=past,
        loop_since_at=past.loop_since_at if past and loop.respawning else None,
        loop_exits=past.loop_exits if past and loop.respawning else 0,
        last_words=words,
        spawnerr=state.spawnerr if state else "",
        cpu_estimated=program in estimated,
        cpu_s=accounts.totals.get(program, 0.0),
        stdout_log=_log(state, config, "stdout_log"),
        stderr_log=_log(state, config, "stderr_log"),
        recovered=loop.recovered,
    )


def _log(state: ProgramState | None, config: ProgramConfig | None, which: str) -> str | None:
    """Where it writes, as supervisord tells (AUTO has a name then), else as the conf does."""
    told: str | None = getattr(state, which, None) or getattr(config, which, None)
    return told


def _failing(loop: Loop, state: ProgramState | None) -> bool:
    # A healthy program's last line is no error; only one that died has last words.
    return loop.respawning or (state is not None and state.state in ("BACKOFF", "FATAL", "EXITED"))


@dataclass(slots=True)
class Judgements:
    """What each program's lives amount to, reckoned anew only where it can have changed."""

    _loops: dict[ProgramId, tuple[tuple[Life, ...], float, bool, Loop]] = field(
        default_factory=dict
    )
    _pasts: dict[ProgramId, tuple[Past, Past, Past]] = field(default_factory=dict)

    def loop(
        self,
        program: ProgramId,
        lives: Lives | None,
        config: ProgramConfig | None,
        at: float,
        settled: bool,
        burnt_pct: float,
        let_in: bool = False,
        uptime_s: float | None = None,
    ) -> Loop:
        """By its lives; those are the same object until one of them changes."""
        if lives is None:
            return judge((), 1.0, at)
        startsecs, row = config.startsecs if config else 1.0, lives.lives
        known = self._loops.get(program)
        if known is not None and known[0] is row and known[1:3] == (startsecs, settled):
            return known[3]
        loop = judge(
            row,
            startsecs,
            at,
            settled=settled,
            dead_cpu_pct=burnt_pct,
            let_in=let_in,
            uptime_s=uptime_s,
        )
        # Time alone makes a loop end and a rate run out; it changes nothing else.
        if loop.respawning or loop.periodic or loop.spawns_per_min is not None:
            self._loops.pop(program, None)
        else:
            self._loops[program] = (row, startsecs, settled, loop)
        return loop

    def past(self, program: ProgramId, lives: Lives | None, older: Past | None) -> Past | None:
        """All that is known, older logs included."""
        if lives is None:
            return older
        now = lives.past()
        if older is None:
            return now
        known = self._pasts.get(program)
        if known is None or known[0] is not older or known[1] is not now:
            known = self._pasts[program] = (older, now, merge(older, now))
        return known[2]
