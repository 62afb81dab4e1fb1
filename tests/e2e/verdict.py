"""What beattop says of a Box, and what it mends there, through its real commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.e2e.incident import Box

Entry = Mapping[str, Any]


class Verdict:
    """One `--once --json` document, cut down to what is about the box.

    Other incidents may run on the machine at the same time: a finding counts if it names one of
    the box's processes, servers or paths.
    """

    def __init__(self, box: Box, document: Mapping[str, Any]) -> None:
        self.document = document
        self._places = box.places()
        pids = {who.pid for who in box.processes()}
        self.findings: list[Entry] = [f for f in document["findings"] if self._ours(f, pids)]
        self.programs: list[Entry] = [p for p in document["programs"] if self._ours(p, pids)]
        self.beats: list[Entry] = [b for b in document["beats"] if self._ours(b, pids)]
        self.unmanaged: list[Entry] = [u for u in document["unmanaged"] if self._ours(u, pids)]

    def _ours(self, entry: Entry, pids: set[int]) -> bool:
        involved = {entry.get("pid"), *entry.get("pids", ())}
        if entry.get("certainty") == "possible":
            # Namesakes of other boxes on this machine are no matter of this one.
            involved |= {kept["pid"] for kept in entry["keep"]}
            return involved - {None} <= pids
        named = involved & pids
        return bool(named) or any(place in json.dumps(entry) for place in self._places)

    @property
    def serious(self) -> list[Entry]:
        """Findings that are critical or warnings."""
        return [f for f in self.findings if f["severity"] != "info"]

    def only(self, kind: str) -> Entry:
        """The one serious finding, which must be of `kind`."""
        assert [f["kind"] for f in self.serious] == [kind], self.told
        return self.serious[0]

    def one(self, kind: str) -> Entry:
        """The one serious finding of `kind` among others."""
        found = [f for f in self.serious if f["kind"] == kind]
        assert len(found) == 1, self.told
        return found[0]

    def information(self, kind: str) -> Entry:
        """The one finding of `kind` that is no more than information."""
        found = [f for f in self.findings if (f["kind"], f["severity"]) == (kind, "info")]
        assert len(found) == 1, self.told
        return found[0]

    def healthy(self) -> None:
        """Assert that nobody is accused."""
        assert not self.serious, self.told

    def program(self, namespec: str) -> Entry:
        found = [p for p in self.programs if p["namespec"] == namespec]
        assert len(found) == 1, [p["namespec"] for p in self.programs]
        return found[0]

    def working(self) -> list[int]:
        """Pids of the beats that live and work."""
        return sorted(b["pid"] for b in self.beats if b["pid"] and b["health"] == "working")

    @property
    def essence(self) -> list[tuple[Any, ...]]:
        """What each serious finding is, and what it would do; without what changes by itself."""
        return sorted(
            (
                finding["kind"],
                str(finding["effect"]),
                finding["certainty"],
                sorted(finding["programs"]),
                sorted(kept["pid"] or 0 for kept in finding["keep"]),
                targets(finding),
            )
            for finding in self.serious
        )

    @property
    def told(self) -> str:
        """All of it, to be read where an assertion fails."""
        return json.dumps(
            {
                "findings": self.findings,
                "beats": self.beats,
                "unmanaged": self.unmanaged,
                "sources": self.document["sources"],
            },
            indent=1,
        )


WAYS = ("auto", "log", "poll")


def look(box: Box, *options: object, limited: bool = False, ways: Sequence[str] = WAYS) -> Verdict:
    """The first document; `limited` names the box's supervisords with --supervisor.

    Whichever way deaths are heard of, the findings must be the same: the log tells each.
    """
    named = _named(box) if limited else ()
    for last in (False, True):
        with ThreadPoolExecutor(len(ways)) as pool:
            looks = [pool.submit(_document, box, "--lifecycle", w, *options, *named) for w in ways]
            best, *others = (Verdict(box, one.result()) for one in looks)
        differing = [v.told for v in others if v.essence != best.essence]
        if not differing:
            break
        # They do not look in one instant: what changes just then may part them once.
        assert not last, "\n".join([best.told, *differing])
    return best


def _document(box: Box, *options: object) -> Entry:
    done = box.beattop("--once", "--json", *options)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    document: Entry = json.loads(done.stdout)
    return document


def _named(box: Box) -> list[str]:
    return [word for name in box.servers for word in ("--supervisor", str(box.conf(name)))]


def mend(box: Box, *, status: int = 0, timeout: float = 110.0) -> str:
    """`stop-duplicates --yes`, limited to the box; returns what it printed."""
    done = box.beattop("stop-duplicates", "--yes", *_named(box), timeout=timeout)
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert done.returncode == status, f"exit {done.returncode}: {said}"
    return said


def targets(finding: Entry) -> list[tuple[str | None, str]]:
    """(namespec, via) of each target, in the order of the finding."""
    return [(t["namespec"], t["via"]) for t in finding["stop"]]


def double(
    finding: Entry, keep: int, stop: Sequence[tuple[str | None, str]], certainty: str | None = None
) -> None:
    """Assert a duplicate that schedules beside another."""
    assert (finding["effect"], finding["severity"]) == ("double-scheduling", "critical"), finding
    assert certainty in (None, finding["certainty"]), finding
    assert [k["pid"] for k in finding["keep"]] == [keep], finding
    assert targets(finding) == list(stop), finding
    assert keep not in finding["pids"]


def loops(finding: Entry, keep: int, stop: Iterable[str], certainty: str = "certain") -> None:
    """Assert a duplicate that is refused and respawned."""
    assert (finding["effect"], finding["severity"]) == ("respawning", "critical"), finding
    assert finding["certainty"] == certainty, finding
    assert [k["pid"] for k in finding["keep"]] == [keep], finding
    assert sorted(targets(finding)) == sorted((name, "xmlrpc") for name in stop), finding
    assert sorted(finding["programs"]) == sorted(stop)


def mended(box: Box, stay: Iterable[int], *gone: str, server: str = "main") -> None:
    """Assert that exactly the beats `stay` work, `gone` are stopped, and nothing loops."""
    for program in gone:
        assert box.state(program, server) == "STOPPED"
    after = look(box, ways=["auto"])
    after.healthy()
    assert after.working() == sorted(stay), after.told
