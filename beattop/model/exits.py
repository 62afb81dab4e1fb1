"""What exit statuses and signals mean, in words."""

from __future__ import annotations

import re
import signal as signals

_STATUSES = {
    0: "success",
    1: "general error",
    2: "usage error or misuse",
    # sysexits.h
    64: "command line usage error (EX_USAGE)",
    65: "bad input data (EX_DATAERR)",
    66: "cannot open input (EX_NOINPUT)",
    67: "unknown user (EX_NOUSER)",
    68: "unknown host (EX_NOHOST)",
    69: "service unavailable (EX_UNAVAILABLE)",
    70: "internal software error (EX_SOFTWARE)",
    71: "operating system error (EX_OSERR)",
    72: "system file missing (EX_OSFILE)",
    73: "cannot create (EX_CANTCREAT)",
    74: "input/output error (EX_IOERR)",
    75: "temporary failure (EX_TEMPFAIL)",
    76: "protocol error (EX_PROTOCOL)",
    77: "permission denied (EX_NOPERM)",
    78: "configuration error (EX_CONFIG)",
    120: "Python could not flush its output",  # Py_RunMain, where Py_FinalizeEx fails
    # bash(1) EXIT STATUS; supervisord's own child exits 127 too where exec fails
    126: "not executable",
    127: "command not found",
    255: "failed (exit -1)",
}

_BRIEF = {0: "success", 1: "error", 2: "usage", 126: "not exec", 127: "not found", 255: "failed"}

_SIGNALS = {
    "SIGHUP": "hung up (SIGHUP)",
    "SIGINT": "interrupted (SIGINT)",
    "SIGQUIT": "told to quit (SIGQUIT)",
    "SIGILL": "illegal instruction (SIGILL)",
    "SIGTRAP": "trapped (SIGTRAP)",
    "SIGABRT": "aborted (SIGABRT: a failed assertion or corrupted memory)",
    "SIGBUS": "bus error (SIGBUS: memory or a mapped file went away)",
    "SIGFPE": "arithmetic error (SIGFPE)",
    "SIGKILL": "killed (SIGKILL: by hand, stopwaitsecs or the OOM killer)",
    "SIGSEGV": "segmentation fault (SIGSEGV)",
    "SIGPIPE": "broken pipe (SIGPIPE)",
    "SIGALRM": "alarm clock (SIGALRM)",
    "SIGTERM": "told to end (SIGTERM)",
    "SIGUSR1": "ended by SIGUSR1",
    "SIGUSR2": "ended by SIGUSR2",
    "SIGXCPU": "CPU time limit reached (SIGXCPU)",
    "SIGXFSZ": "file size limit reached (SIGXFSZ)",
    "SIGSYS": "forbidden system call (SIGSYS)",
}


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; `signal 34` for a number without a name, as supervisord writes it."""
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"


def exit_meaning(status: int | None, signal: str | None) -> str:
    """Words for how a process ended; a signal counts before a status, neither is "unknown"."""
    if signal is not None:
        return _SIGNALS.get(signal) or f"ended by {signal}"
    if status is None:
        return "unknown"
    if status in _STATUSES:
        return _STATUSES[status]
    if 128 < status <= 128 + 64:
        return f"shell: ended by {signal_name(status - 128)}"
    return f"exit status {status}"


def exit_brief(status: int | None, signal: str | None) -> str:
    """The same in one or two words, at most 12 cells for what is common: "73 CANTCREAT"."""
    if signal is not None:
        return signal
    if status is None:
        return "unknown"
    name = re.search(r"\(EX_(\w+)\)", _STATUSES.get(status, ""))
    if name is not None:
        return f"{status} {name[1]}"
    if status not in _STATUSES and 128 < status <= 128 + 64:
        return f"{status} {signal_name(status - 128)}"
    return f"{status} {_BRIEF.get(status, '')}".rstrip()
