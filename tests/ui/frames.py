"""Hand-made frames: the incident, a calm box, 500 programs, hostile text, empty boxes."""

from __future__ import annotations

from dataclasses import replace

from beattop.model.files import LastWords, Pidfile, ScheduleFile
from beattop.model.finding import Finding, Keep, LastingFix, Target
from beattop.model.frame import Event, Frame
from beattop.model.lives import Life
from beattop.model.logevents import LogEvent, Past
from beattop.model.process import ProcessKey
from beattop.model.snapshot import (
    Beat,
    BeatKey,
    Burnt,
    CpuSplit,
    LastExit,
    Program,
    Unmanaged,
)
from tests.ui.pieces import (
    AT,
    DAY,
    LIFE_S,
    LOOP_S,
    URL,
    config,
    member,
    pid_,
    program,
    snapshot,
    sources,
)

BEAT = "/srv/venv/bin/python3 /srv/venv/bin/celery -A proj beat --pidfile=/run/beat.pid"
WORKER = "/srv/venv/bin/python3 /srv/venv/bin/celery -A proj worker -l info"
FLOWER = "/srv/venv/bin/python3 /srv/venv/bin/celery -A proj flower"


def beat2(at: float) -> Program:
    """The duplicate: born every 2.7 s, gone 2.2 s later."""
    turn = int((at - AT) / LOOP_S)
    born = AT + turn * LOOP_S
    alive = at - born < LIFE_S
    pid = 4711 + 9 * turn
    lives = tuple(
        Life(
            4711 + 9 * n,
            AT + n * LOOP_S,
            AT + n * LOOP_S + LIFE_S - 0.03 * (n % 3),
            73,
            None,
            False,
            False,
            2.1,
        )
        for n in range(turn - 10, turn if alive else turn + 1)
    )
    if alive:
        lives += (Life(pid, born),)
    base = program(
        "beat2",
        BEAT,
        pid=pid if alive else None,
        up_s=at - born,
        at=at,
        cpu=79.0,
        state="STARTING" if alive else "BACKOFF",
    )
    return replace(
        base, role="beat", respawning=True, spawns_per_min=22.5, spawns=5121 + turn, exits=5120 + turn, lifetime_median_s=2.2,
        last_exit=LastExit(73, None, lives[-2].ended_at or at, "cannot create (EX_CANTCREAT)"), churn_pct=79.0,
        last_error="ERROR: Pidfile (/run/beat.pid) already exists.", config=config("beat2", BEAT, "/etc/supervisor/conf.d/old.conf", 7, 2),
        lives=lives, loop_since_at=AT - 5 * DAY, loop_exits=5120 + turn, past=past("beat2"),
        last_words=LastWords(URL, "beat2", "beat2", ("celery beat v5.4 is starting.", "ERROR: Pidfile (/run/beat.pid) already exists."), at, None, "/var/log/beat2.err"),
    )  # fmt: skip


def past(name: str) -> Past:
    hour = AT - AT % 3600
    hours = tuple(
        (hour - 3600 * n, 1350 - 7 * (n % 5), 1350 - 7 * (n % 5)) for n in range(100, -1, -1)
    )
    return Past(
        URL,
        name,
        5121,
        5120,
        AT - 5 * DAY,
        True,
        AT - 5 * DAY,
        5120,
        (("73", 5120),),
        hours,
        (LogEvent(AT - 2, URL, "exited", name, 4702, 73),),
    )


SUMMARY = "beat2 is a second beat of app proj and dies every 2.7 s (exit 73): beat (pid 4690) holds /run/beat.pid."
STOP = "supervisorctl -c /etc/supervisor/supervisord.conf stop beat2"


def duplicate(beat: ProcessKey) -> Finding:
    return Finding(
        "duplicate-beat", "critical", "certain", SUMMARY, "respawning", (pid_("beat2"),), (4711,),
        (
            "/run/beat.pid names pid 4690, which is program beat and began before the file was written",
            "beat2 exited 73 (cannot create) 5,120 times since Tue 20:55, the last time 2 s ago",
            "its last words: ERROR: Pidfile (/run/beat.pid) already exists.",
        ),
        (Keep(URL, "beat", 4690, pid_("beat"), beat, "holds /run/beat.pid, up 112 d"),),
        (Target(URL, "beat2", 4711, "xmlrpc", STOP, pid_("beat2"), None, "respawning 22.5 times a minute, never scheduled anything"),),
        (), LastingFix("/etc/supervisor/conf.d/old.conf:7 [program:beat2]: autostart=false, or remove the section", "/etc/supervisor/conf.d/old.conf", 7, "program:beat2"),
        AT - 5 * DAY, 79.0, "duplicate-beat:proj", "beat2 respawns every 2.7 s (73): second beat of proj",
    )  # fmt: skip


def incident(tick: int = 0, *, extra: int = 0, respawning: bool = True) -> Frame:
    """The original incident, `tick` seconds in; `extra` more calm programs."""
    at = AT + tick
    beat = program("beat", BEAT, pid=4690, up_s=112 * DAY + tick, at=at)
    loop = beat2(at)
    if not respawning:
        loop = replace(
            loop, state="STOPPED", pid=None, members=(), respawning=False, cpu_pct=0.0, churn_pct=0.0, spawns_per_min=None,
            started_at=None, uptime_s=None, rss_bytes=None, lives=tuple(x for x in loop.lives if x.ended_at),
        )  # fmt: skip
    programs = [
        replace(beat, role="beat"), loop,
        program("worker", WORKER, pid=4800, children=2, cpu=11.4, at=at, up_s=3 * DAY + tick, config=config("worker", WORKER, order=1)),
        program("flower", FLOWER, pid=4900, up_s=112 * DAY + tick, at=at),
        *(program(f"job{n:02}", f"/srv/bin/job{n} --queue q{n}", pid=6000 + n, at=at, up_s=DAY * n + tick, role="other") for n in range(extra)),
    ]  # fmt: skip
    orphan = Unmanaged(
        member(812, "/usr/bin/celery -A shop beat", AT - 6 * DAY, 0.1),
        "beat",
        "orphan",
        "shop-beat",
        0.1,
        41_000_000,
    )
    key = beat.members[0].key
    beats = (
        Beat(BeatKey("proj", "/srv/proj", None), 4690, "beat", URL, False, "working", "/run/beat.pid", "/srv/proj/celerybeat-schedule", None, pid_("beat"), key,
             at - 112 * DAY, pidfile_fact=Pidfile("/run/beat.pid", "ok", 4690, at - 112 * DAY + 3, key), holds_pidfile=True,
             schedule_fact=ScheduleFile("/srv/proj/celerybeat-schedule", "ok", at - 41, 16384, 77), last_sent_at=at - 41),
        Beat(BeatKey("proj", "/srv/proj", None), loop.pid, "beat2", URL, False, "respawning" if respawning else "down", "/run/beat.pid", None, None, pid_("beat2")),
    )  # fmt: skip
    cpu = CpuSplit(2, 97.4, 12.0, 79.0, 6.4) if respawning else CpuSplit(2, 18.4, 12.0, 0.0, 6.4)
    view = snapshot(
        programs, at, cpu=cpu, load=(2.1, 1.9, 1.7), unmanaged=(orphan,), beats=beats,
        burnt=Burnt(79.0, 34 * 3600.0, AT - 5 * DAY) if respawning else Burnt(79.0),
    )  # fmt: skip
    return Frame(view, (duplicate(key),) if respawning else (), events(at), tick)


def events(at: float) -> tuple[Event, ...]:
    out = [Event(AT - 600, "source", None, None, "reading /var/log/supervisor/supervisord.log")]
    for n in range(-20, int((at - AT) / LOOP_S)):
        out.append(
            Event(
                AT + n * LOOP_S,
                "spawned",
                pid_("beat2"),
                4711 + 9 * n,
                f"beat2 spawned, pid {4711 + 9 * n}",
            )
        )
        out.append(
            Event(
                AT + n * LOOP_S + LIFE_S,
                "exited",
                pid_("beat2"),
                4711 + 9 * n,
                "beat2 exited 73 (cannot create) after 2.2 s",
                True,
            )
        )
    return tuple(out)


def calm(programs: int = 12, tick: int = 0) -> Frame:
    """Nothing wrong."""
    at = AT + tick
    rows = [
        replace(
            program(
                "beat",
                BEAT,
                pid=4690,
                up_s=112 * DAY,
                at=at,
                last_exit=LastExit(None, "SIGKILL", at - 3 * DAY, "killed"),
            ),
            role="beat",
        )
    ]
    rows += [
        program(f"worker{n:02}", WORKER, pid=5000 + 10 * n, children=2, at=at, up_s=(n + 1) * DAY)
        for n in range(programs - 1)
    ]
    beat = Beat(
        BeatKey("proj", "/srv/proj", None),
        4690,
        "beat",
        URL,
        False,
        "working",
        "/run/beat.pid",
        None,
        None,
        pid_("beat"),
    )
    return Frame(snapshot(rows, at, beats=(beat,)), (), (), tick)


def many(count: int = 500, tick: int = 0) -> Frame:
    """A big box: `count` programs, a tenth of which change every tick, one duplicate beat."""
    frame = incident(tick)
    at = frame.snapshot.at
    rows = [
        program(f"app{n // 50}-worker{n:03}", WORKER, pid=10_000 + 3 * n, children=1, at=at, cpu=((n * 7 + tick * (n % 10 == 0)) % 50) / 10, up_s=DAY + n)
        for n in range(count - len(frame.snapshot.programs))
    ]  # fmt: skip
    return replace(
        frame, snapshot=replace(frame.snapshot, programs=(*frame.snapshot.programs, *rows))
    )


HOSTILE = "[/x] [bold]$(reboot) %s {0} \u202e日本語🙂 " + "x" * 300


def hostile(tick: int = 0) -> Frame:
    """Names, arguments and words that try markup, wide characters and great length."""
    frame = incident(tick)
    bad = program("[red]evil[/red]", f"python [/x] {HOSTILE}", pid=666, at=frame.snapshot.at)
    wide = program(
        "日本語のプログラム名前",
        f"celery {HOSTILE}",
        pid=667,
        at=frame.snapshot.at,
        group="グループ",
    )
    words = replace(
        frame.findings[0],
        summary=f"[/x] {HOSTILE} " * 3,
        short=HOSTILE[:200],
        programs=(bad.id,),
        identity="hostile",
    )
    log = (Event(AT, "exited", bad.id, 666, HOSTILE, True),)
    return replace(
        frame, snapshot=replace(frame.snapshot, programs=(bad, wide, *frame.snapshot.programs)),
        findings=(words, *frame.findings), events=(*log, *frame.events),
    )  # fmt: skip


def bare() -> Frame:
    """All that may be unknown is unknown."""
    frame = incident(1)
    s = frame.snapshot
    lost = replace(
        s.programs[1], state=None, state_at=None, pid=None, started_at=None, uptime_s=None, spawns_per_min=None, spawns=None,
        exits=None, first_seen_at=None, lifetime_median_s=None, last_exit=None, cpu_pct=None, churn_pct=None, rss_bytes=None,
        members=(), config=None, past=None, last_words=None, last_error=None, stdout_log=None, stderr_log=None, loop_since_at=None,
        lives=(Life(0, None, AT, None, None, None, False, None), Life(7, None)),
    )  # fmt: skip
    m = replace(
        s.programs[0].members[0],
        cpu_pct=None,
        rss_bytes=None,
        process=replace(s.programs[0].members[0].process, env=None, cwd=None, argv=(), user=None),
    )
    lone = replace(s.programs[0], cpu_pct=None, rss_bytes=None, members=(m,), config=None)
    beat = Beat(BeatKey(None, None, None), None, None, None, False, None, None, None, None, lone.id)
    dark = replace(
        s, cpu=CpuSplit(2, None, None, None, None), programs=(lone, lost), beats=(beat,), supervisords=(replace(s.supervisords[0], version=None, answered_at=None, ctl=()),),
        sources=tuple(replace(x, at=None, detail="") for x in s.sources), burnt=Burnt(),
    )  # fmt: skip
    vague = replace(
        frame.findings[0],
        short="",
        since_at=None,
        churn_pct=None,
        keep=(),
        stop=(),
        evidence=(),
        lasting=LastingFix(""),
        programs=(),
        pids=(),
    )
    return replace(frame, snapshot=dark, findings=(vague,), events=())


def no_supervisord() -> Frame:
    """A box without supervisord and without Celery."""
    absent = sources(
        supervisor=("absent", "no supervisord runs here; name one with --supervisor URL_OR_CONF")
    )
    return Frame(snapshot((), supervisords=(), sources=absent), (), ())


def no_celery() -> Frame:
    """A supervisord whose programs are nobody's Celery."""
    rows = [
        program(f"web{n}", f"/srv/bin/gunicorn app{n}", pid=300 + n, role="other") for n in range(3)
    ]
    return Frame(snapshot(rows), (), ())
