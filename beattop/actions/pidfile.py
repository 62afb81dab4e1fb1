"""Removal of a pidfile that is proven stale, and of nothing else."""

from __future__ import annotations

import os
import stat

from beattop.actions.ended import Changed, Failed
from beattop.actions.run import Run
from beattop.actions.validate import keepers
from beattop.model.files import Pidfile
from beattop.model.plan import Step
from beattop.sources.rooted import open_regular

_MOST = 4096


def remove(run: Run, index: int, step: Step) -> None:
    """Unlink the step's file, unless anything about it or its pid changed. Raises Ended."""
    fact = step.pidfile
    if fact is None:
        raise Failed("no pidfile is known for it", step.command)
    keepers(run)
    name = os.path.basename(fact.path)
    folder = _folder(fact.path)
    try:
        before = _same(fact, name, folder)
        _still_stale(run, fact)
        run.check_cancelled()
        now = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if (now.st_dev, now.st_ino) != (before.st_dev, before.st_ino):
            raise Changed("another file has taken its place")
        os.unlink(name, dir_fd=folder)
    except OSError as why:
        run.note(step.call, str(why.strerror))
        raise Failed(f"it could not be removed: {why.strerror}", step.command) from None
    finally:
        os.close(folder)
    run.acted = True
    run.note(step.call, "removed")
    run.checks.tick(index, "asked", "done", f"removed at {run.clock.words()}")


def _folder(path: str) -> int:
    """Its folder, held open: whoever puts a link in its place from now on is not followed."""
    try:
        return os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
    except FileNotFoundError:
        raise Changed("the file is gone already") from None
    except OSError as why:
        raise Failed(f"it cannot be looked at: {why.strerror}") from None


def _same(fact: Pidfile, name: str, folder: int) -> os.stat_result:
    """The file as it was read for the plan; raises Changed or Failed."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError:
        raise Changed("the file is gone already") from None
    except OSError as why:
        raise Failed(f"it cannot be looked at: {why.strerror}") from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise Changed("it is no regular file")
        text = os.read(handle, _MOST)
    finally:
        os.close(handle)
    if number(text) != fact.pid:
        raise Changed(f"it names pid {number(text)} now, not {fact.pid}")
    if fact.mtime_at not in (None, found.st_mtime):
        raise Changed("it was written anew")
    return found


def named(path: str) -> int | None:
    """The pid that a pidfile names now; raises OSError. A fifo in its place is never waited for."""
    with open(open_regular(path), "rb") as file:
        return number(file.read(_MOST))


def number(text: bytes) -> int | None:
    """The pid in a pidfile's text; None where there is none."""
    word = text.strip()
    return int(word) if word.isdigit() and len(word) < 10 else None


def _still_stale(run: Run, fact: Pidfile) -> None:
    """Raise Changed where its pid is not what it was in the plan: nobody, or that stranger."""
    if fact.holder is not None:
        if not run.proc.alive(fact.holder):
            raise Changed(f"pid {fact.pid} has ended meanwhile: a new look is needed")
        return
    if fact.path.startswith("/proc/") or fact.pid is None:
        return  # another pid namespace: its numbers mean nothing here
    found = run.proc.stat(fact.pid)
    if found is not None and not found.ended:
        raise Changed(f"pid {fact.pid} lives now ({run.proc.words(fact.pid)})")
