"""SIGTERM, and on a second confirmation SIGKILL, for exactly one process, through a pidfd."""

from __future__ import annotations

import os
import select
import signal
from dataclasses import replace

from beattop.actions import process_table
from beattop.actions.ended import Changed, Failed
from beattop.actions.run import Run
from beattop.actions.steps import Parts, signal_step
from beattop.actions.validate import heir, keepers, useful
from beattop.model.plan import Plan, Step
from beattop.model.process import ProcessKey
from beattop.sources.proc.stat import Stat

WAIT_S = 12.0
"""A beat ends within a second; a shell's child that imports may need its import's time first."""


def send(run: Run, index: int, step: Step) -> bool:
    """End the step's process and wait until it is gone. True where the signal was sent.

    The pidfd is opened first and the identity read after it, so the process that is looked at is
    the one that gets the signal, whatever becomes of its pid (pidfd_open(2)). Raises Ended.
    """
    key = step.target.process
    if key is None:
        raise Failed("no process is known for it", step.command)
    keepers(run)
    useful(run, step)
    heir(run, step)
    refuse(run, key, step.command)
    handle = _open(key, step.command)
    if handle is None:
        return _gone(run, index, key)
    try:
        found = run.proc.stat(key.pid)
        if found is None or found.ended:
            return _gone(run, index, key)
        if process_table.key(found) != key:
            raise Changed(f"pid {key.pid} belongs to another process now")
        run.check_cancelled()
        run.acted = True
        _kill(run, step, handle, key)
        run.checks.tick(index, "asked", "done", f"{step.call} at {run.clock.words()}")
        _wait(run, index, step, handle, found)
    finally:
        os.close(handle)
    return True


def _gone(run: Run, index: int, key: ProcessKey) -> bool:
    run.checks.tick(index, "asked", "skipped", f"pid {key.pid} has ended already")
    run.checks.tick(index, "gone", "done", f"pid {key.pid} is gone at {run.clock.words()}")
    return False


def refuse(run: Run, key: ProcessKey, command: str | None) -> None:
    """Raise Failed for a process that beattop never touches."""
    if key.pid <= 1:
        raise Failed("pid 1 is never touched")
    if key.pid in run.proc.ancestors(os.getpid()):
        raise Failed(f"pid {key.pid} runs this beattop")
    uid, me = run.proc.uid(key.pid), os.geteuid()
    if uid is not None and me not in (uid, 0):
        raise Failed(f"pid {key.pid} belongs to another user", command and f"sudo {command}")


def _open(key: ProcessKey, command: str | None) -> int | None:
    """A pidfd; None where the process is gone."""
    try:
        return os.pidfd_open(key.pid)
    except ProcessLookupError:
        return None
    except OSError as why:
        raise Failed(f"this kernel gives no pidfd ({why.strerror})", command) from None


def _kill(run: Run, step: Step, handle: int, key: ProcessKey) -> None:
    number = signal.SIGKILL if step.verb == "kill" else signal.SIGTERM
    try:
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        run.note(step.call, "it had ended already")
    except OSError as why:
        run.note(step.call, str(why.strerror))
        raise Failed(f"pid {key.pid}: {why.strerror}", step.command) from None
    else:
        run.note(step.call, "sent")


def _wait(run: Run, index: int, step: Step, handle: int, found: Stat) -> None:
    """Until the pidfd tells that it ended; then offers SIGKILL where it did not."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    end = run.clock.monotonic() + WAIT_S
    while not poll.poll(0):
        if run.clock.monotonic() >= end:
            if step.verb == "signal":
                run.further.append(kill_plan(run, step, found))
            raise Failed(f"pid {found.pid} still lives {WAIT_S:.0f} s after the signal")
        run.pause()
    run.checks.tick(index, "gone", "done", f"pid {found.pid} is gone at {run.clock.words()}")


def kill_plan(run: Run, step: Step, found: Stat) -> Plan:
    """SIGKILL for what did not heed SIGTERM, to be confirmed anew."""
    parts = Parts.empty()
    kill = signal_step(step.target, process_table.key(found), kill=True, heir=step.heir)
    parts.steps.append(replace(kill, pidfile=step.pidfile))
    parts.warnings.append(
        f"pid {found.pid} ({run.proc.words(found.pid)}) did not end on SIGTERM. SIGKILL "
        "gives it no time to save its schedule or to end its tasks, and leaves its pidfile behind"
    )
    return parts.plan(f"Kill pid {found.pid}", run.look(), run.plan.keep)
