"""Whether two beats send one schedule: how sure that is, and by what evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace

from beattop.diagnosis.traits import Traits, akin, foreign, one_project, one_tree, same_app
from beattop.model.beathealth import redbeat
from beattop.model.finding import Certainty
from beattop.model.snapshot import Beat


@dataclass(frozen=True, slots=True)
class Link:
    """Two beats of one identity."""

    a: Beat
    b: Beat
    certainty: Certainty
    evidence: tuple[str, ...]


def strangers(a: Beat, b: Beat) -> bool:
    """Whether two beats are known to be of two projects, whatever file they share."""
    one, two = Traits.of(a), Traits.of(b)
    known = one.app is not None and two.app is not None
    return foreign(one, two) or (known and _differs(one, two) is not None)


def _shared_files(a: Beat, b: Beat, one: Traits, two: Traits) -> list[str]:
    """Certain evidence: one schedule file, one pidfile."""
    out: list[str] = []
    if one.inodes & two.inodes:
        name = next(iter(sorted(one.schedules & two.schedules)), one.schedule or "one file")
        out.append(f"both have the schedule file {name} open")
    for x, y, mine, other in ((one, two, a, b), (two, one, b, a)):
        if gone := x.deleted & (y.schedules | {y.schedule or ""}):
            out.append(
                f"pid {mine.pid} holds the schedule file {min(gone)} deleted: "
                f"pid {other.pid} replaced it"
            )
    if one.pidfile and one.pidfile == two.pidfile:
        out.append(f"both are told to hold the pidfile {one.pidfile}")
    if one.schedule and one.schedule == two.schedule:
        out.append(f"both keep their schedule in {one.schedule}")
    return out


def _differs(a: Traits, b: Traits) -> str | None:
    """A known difference that makes them two schedules; None where none is known."""
    if a.broker and b.broker and a.broker != b.broker:
        return f"brokers differ: {a.broker} and {b.broker}"
    if a.settings != b.settings:
        other = dict(b.settings)
        for name, value in a.settings:
            if name in other and other[name] != value:
                return f"{name} differs: {value} and {other[name]}"
    if a.config and b.config and a.config != b.config:
        return f"--config differs: {a.config} and {b.config}"
    return None


def known_apart(a: Traits, b: Traits) -> str | None:
    """Why two beats of one app are two schedules; None where nothing says so."""
    return _differs(a, b) if same_app(a, b) or akin(a, b) else None


def link(a: Beat, b: Beat) -> Link | None:
    """How two beats belong together; None where nothing says so, or something says otherwise."""
    return linked(a, b, Traits.of(a), Traits.of(b))


def linked(a: Beat, b: Beat, one: Traits, two: Traits) -> Link | None:
    """The same for two whose traits are known."""
    same_tree = one_tree(one, two)
    files = _shared_files(a, b, one, two) if same_tree else []
    open_both = any("open" in line or "deleted" in line for line in files)
    if redbeat(one.scheduler) and redbeat(two.scheduler):
        return None
    same = same_app(one, two)
    if not same and not akin(one, two):
        if not open_both:
            return None
        if not foreign(one, two):
            return Link(a, b, "certain", tuple(files))
        but = f"but of two apps, {one.said} and {two.said}: each should have a -s of its own"
        return Link(a, b, "possible", (*files, but))
    perhaps = "" if same else "perhaps "
    app = f"{perhaps}one app: {one.said} and {two.said}" if one.said != two.said else None
    told = [app or (f"both run app {one.said}" if one.said else "both run the same manage.py")]
    if one.cwd and one.cwd == two.cwd:
        told.append(f"in {one.cwd}")
    difference = _differs(one, two)
    if files and (open_both or difference is None):
        return Link(a, b, "certain", (*files, " ".join(told)))
    if difference is not None:
        return None
    found = _by_project(a, b, one, two, told, same_tree)
    return found if same or found is None else replace(found, certainty="possible")


def _by_project(
    a: Beat, b: Beat, one: Traits, two: Traits, told: list[str], same_tree: bool
) -> Link | None:
    broker = one.broker is not None and one.broker == two.broker
    shared = one_project(one, two)
    peers = one.peers & two.peers
    apart = bool(one.peers and two.peers and not peers)
    if broker:
        told.append(f"both use the broker {one.broker_said}")
    elif peers:
        told.append(f"both are connected to {min(peers)}")
    if not broker and (not same_tree or (apart and not shared)):
        return None  # another namespace, or other brokers beside other folders
    if shared and one.cwd != two.cwd:
        told.append(f"from {one.cwd} and {two.cwd}, one project")
    certainty: Certainty = "likely" if (broker or (shared and not apart)) else "possible"
    if one.scheduler != two.scheduler and certainty == "likely":
        told.append(
            f"their schedulers differ: {one.scheduler or 'default'}, {two.scheduler or 'default'}"
        )
        certainty = "possible"
    if certainty == "possible" and one.cwd != two.cwd and not shared:
        told.append(f"but in {one.cwd} and {two.cwd}: perhaps two projects")
    return Link(a, b, certainty, (", ".join(told),))
