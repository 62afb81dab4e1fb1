"""Supervisords that hang, refuse, or stand twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from beattop.model.finding import Finding, Keep, LastingFix, Target
from beattop.model.process import ProcessKey
from beattop.model.snapshot import Member, Program, Snapshot
from beattop.model.source import SourceStatus
from beattop.model.supervisor import ProgramConfig, Supervisord
from beattop.text import count, duration, listing


def _word(snapshot: Snapshot, server: Supervisord) -> SourceStatus | None:
    return next(
        (
            s
            for s in snapshot.sources
            if s.name == "supervisor" and s.target in (server.id, server.url)
        ),
        None,
    )


def _member(snapshot: Snapshot, server: Supervisord) -> Member | None:
    return next((m for sid, m in snapshot.supervisord_members if m.key == server.key), None)


def _programs(snapshot: Snapshot, server: Supervisord) -> list[Program]:
    return [p for p in snapshot.programs if p.id.supervisor == server.id]


def not_answering(snapshot: Snapshot, twice: Collection[str] = ()) -> Iterable[Finding]:
    """Live supervisords that accept nothing, or answer nothing in time.

    One of `twice` lost its address to another of the same conf: that finding says so.
    """
    for server in snapshot.supervisords:
        if server.id in twice:
            continue
        word = _word(snapshot, server)
        if word is None or word.status not in ("timeout", "down"):
            continue
        if server.key is None:
            if snapshot.limited_to and server.answers is not True:
                yield _gone(server, word)
            continue
        if server.answers is not False:
            continue
        member = _member(snapshot, server)
        stopped = member is not None and member.state in ("T", "t")
        evidence = [f"{server.id}: {word.detail or word.status}"]
        if member is not None:
            evidence.append(f"pid {member.process.pid} is in state {member.state}")
        dead = [p for p in _programs(snapshot, server) if p.members and p.members[0].state == "Z"]
        if dead:
            names = listing([p.namespec for p in dead])
            evidence.append(f"{names} ended and {'is' if len(dead) == 1 else 'are'} not reaped")
        pid = server.key.pid
        what = "is stopped (SIGSTOP) and" if stopped else "hangs: it"
        cure = (
            f"kill -CONT {pid} lets it go on."
            if stopped
            else f"See what it waits for (py-spy dump --pid {pid}, strace -p {pid}); "
            "restart it when its programs can bear it."
        )
        yield Finding(
            kind="supervisor-not-answering",
            severity="critical",
            certainty="certain",
            summary=f"supervisord (pid {pid}) {what} answers nothing: nothing it runs can be "
            "stopped, started or seen through it"
            + (f"; kill -CONT {pid} lets it go on." if stopped else "."),
            effect="stopped" if stopped else "hung",
            programs=(),
            pids=(pid,),
            evidence=tuple(evidence),
            lasting=LastingFix(
                cure, file=server.conf, ticket=f"supervisord pid {pid} hung. {cure}"
            ),
            identity=f"supervisor-not-answering:{server.id}",
            short=f"supervisord (pid {pid}) answers nothing",
        )


def _gone(server: Supervisord, word: SourceStatus) -> Finding:
    """One that the user named, and that does not run."""
    why = word.detail or word.status
    return Finding(
        kind="supervisor-not-answering",
        severity="critical",
        certainty="certain",
        summary=f"supervisord at {server.id} does not answer: {why}. Nothing is supervised there.",
        effect="down",
        programs=(),
        pids=(),
        evidence=(f"{server.id}: {why}",),
        lasting=LastingFix(
            "Start it, or name another with --supervisor.",
            file=server.conf,
            ticket=f"supervisord at {server.id} does not run: {why}.",
        ),
        identity=f"supervisor-not-answering:{server.id}",
        short=f"supervisord ({server.id}) does not answer: {why}",
    )


def denied(snapshot: Snapshot) -> Iterable[Finding]:
    """Supervisords that the viewer may not ask, with what is needed to see more."""
    for server in snapshot.supervisords:
        word = _word(snapshot, server)
        if word is None or word.status != "denied" or server.key is None:
            continue
        yield Finding(
            kind="supervisor-denied",
            severity="info",
            certainty="certain",
            summary=f"supervisord at {server.url or server.id} does not let you ask: "
            f"{word.detail or 'denied'}",
            effect="denied",
            programs=(),
            pids=(server.key.pid,),
            evidence=(word.detail or "denied",),
            lasting=LastingFix(
                "Run beattop as root or as the user who owns supervisord's socket, or give its "
                "username and password in the config.",
                file=server.conf,
            ),
            identity=f"supervisor-denied:{server.id}",
            short="supervisord may not be asked: run as root or its user",
        )


def doubles(snapshot: Snapshot) -> Iterable[tuple[Finding, tuple[str, ...]]]:
    """Two live supervisords on one conf, with the ids of the surplus ones."""
    live = list({s.key: s for s in snapshot.supervisords if s.key and s.conf}.items())
    while live:
        first, *rest = live
        found = [first, *(other for other in rest if _one_conf(first[1], other[1], snapshot))]
        live = [other for other in rest if other not in found]
        if len(found) > 1:
            yield _double(str(first[1].conf), found, snapshot)


def _one_conf(a: Supervisord, b: Supervisord, snapshot: Snapshot) -> bool:
    """Whether two run one conf file, by whatever names, or the same included sections.

    Not where each is told apart by its environment, so that no program of one is the other's; nor
    in two containers into which one file is mounted.
    """
    one, two = _member(snapshot, a), _member(snapshot, b)
    if one and two and one.process.pid_ns != two.process.pid_ns:
        return False
    mine, others = (
        {p.id[1:]: p.config for p in _programs(snapshot, s) if p.config} for s in (a, b)
    )
    common = mine.keys() & others.keys()
    if common and not any(_alike(mine[name], others[name]) for name in common):
        return False
    if a.conf_inode is not None and a.conf_inode == b.conf_inode:
        return True
    if a.root != b.root:
        return False
    sections = [{(c.file, c.section) for c in confs.values()} for confs in (mine, others)]
    return a.conf == b.conf or bool(sections[0] and sections[0] == sections[1])


def _alike(a: ProgramConfig, b: ProgramConfig) -> bool:
    return (a.command, a.directory, a.env) == (b.command, b.directory, b.env)


def _double(
    conf: str, servers: list[tuple[ProcessKey, Supervisord]], snapshot: Snapshot
) -> tuple[Finding, tuple[str, ...]]:
    def rank(one: tuple[ProcessKey, Supervisord]) -> tuple[bool, int]:
        return (one[1].answers is not True, one[0].start_ticks)

    ordered = sorted(servers, key=rank)
    (kept_key, kept), *surplus = ordered
    programs = [p for _, s in surplus for p in _programs(snapshot, s)]
    evidence, stop = [], []
    for key, server in ordered:
        member = _member(snapshot, server)
        age = duration(snapshot.at - member.process.started_at) if member else "?"
        named = f", as {server.conf}" if server.conf != conf else ""
        evidence.append(f"pid {key.pid}: up {age}{named}, {_answers(server, snapshot)}")
        if server is not kept:
            stop.append(_stop(key, server))
    pids = tuple(key.pid for key, _ in surplus)
    finding = Finding(
        kind="double-supervisor",
        severity="critical",
        certainty="certain",
        summary=f"{count(len(servers), 'supervisord')} run {conf}: every program stands "
        f"{'twice' if len(servers) == 2 else f'{len(servers)} times'}; "
        f"pid {listing([str(p) for p in pids])} is the surplus one beside pid {kept_key.pid}.",
        effect="every program twice",
        programs=tuple(p.id for p in programs),
        pids=pids,
        evidence=tuple(evidence),
        keep=(Keep(kept.id, None, kept_key.pid, process=kept_key, why="answers, or is the older"),),
        stop=tuple(stop),
        lasting=LastingFix(
            f"End the surplus supervisord with SIGTERM (it stops its programs), then find what "
            f"started {conf} a second time: a unit with KillMode=process that was killed, an init "
            "script beside a unit, a shell.",
            file=conf,
            ticket=f"Two supervisords ran {conf}.",
        ),
        identity=f"double-supervisor:{conf}",
        short=f"{len(servers)} supervisords run {conf}",
    )
    return finding, tuple(s.id for _, s in surplus)


def _answers(server: Supervisord, snapshot: Snapshot) -> str:
    if server.answers:
        return f"answers at {server.url}"
    word = _word(snapshot, server)
    return (word.detail if word else "") or "does not answer"


def _stop(key: ProcessKey, server: Supervisord) -> Target:
    return Target(
        server.id,
        None,
        key.pid,
        "advice",
        f"kill -TERM {key.pid}",
        process=key,
        why="SIGTERM lets it stop its programs in order; tasks that run in its workers are waited "
        "for stopwaitsecs, so a person decides",
    )
