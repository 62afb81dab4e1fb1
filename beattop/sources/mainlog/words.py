"""What is wrong with a log that cannot be read, and what would mend it."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat

from beattop.model.source import Status
from beattop.sources.mainlog.place import NoLogError


def trouble(path: str, error: Exception, held: bool) -> tuple[Status, str]:
    """Status and words for an error at opening or looking at `path`.

    `held`: the file that was there before is still open and read.
    """
    if isinstance(error, NoLogError):
        return "absent", str(error)
    if isinstance(error, EOFError):
        return "degraded", f"{path} is being cut while it is read"
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOENT, errno.ENOTDIR):
        if held:
            return "degraded", f"{path} is gone: only what is written to the old file is still read"
        return "absent", f"{path} does not exist (yet): was it deleted? Restart supervisord then"
    if number in (errno.EACCES, errno.EPERM):
        return "denied", denied(path)
    what = os.strerror(number) if number else str(error) or type(error).__name__
    return "down", f"{path}: {what}"


def denied(path: str) -> str:
    """Who may read it, and how to be one of them."""
    try:
        info = os.stat(path)
    except OSError:
        return f"{path} lies in a directory that may not be entered: run beattop with sudo"
    owner = _user(info.st_uid)
    mode = stat.S_IMODE(info.st_mode)
    if mode & stat.S_IRGRP:
        return f"{path} may be read by {owner} and group {_group(info.st_gid)}: join it or use sudo"
    return f"{path} may be read by {owner} alone (mode {mode:04o}): run beattop with sudo"


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return f"gid {gid}"
