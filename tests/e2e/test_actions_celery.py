"""`stop-duplicates` on real Celery beats, from the command line to the journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.incident import Box


@pytest.mark.long
def test_the_original_incident(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.two_beats()
        box.up()
        box.wait_exits("beat2", 2)
        kept = box.pid("beat")
        here = ("stop-duplicates", "--supervisor", box.conf())

        refused = box.beattop(*here, "--yes", "--read-only")
        assert refused.returncode == 4, refused
        assert 'supervisor.stopProcess("beat2", wait=False)' in refused.stdout
        journal = tmp_path / "home" / ".local" / "state" / "beattop" / "journal.jsonl"
        assert not journal.exists()
        assert box.state("beat2") != "STOPPED"

        done = box.beattop(*here, "--yes")
        assert done.returncode == 0, done
        assert "done: beat2 is stopped" in done.stdout
        assert f"beat.pid names pid {kept}" in done.stdout
        assert box.state("beat2") == "STOPPED"
        assert box.rpc("getProcessInfo", "beat")["pid"] == kept
        results = [json.loads(line) for line in journal.read_text().splitlines()]
        assert results[-1]["status"] == "done"

        again = box.beattop(*here, "--yes")
        assert again.returncode == 0, again
        assert again.stdout == "No duplicate beat to stop\n"
