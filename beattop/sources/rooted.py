"""Paths of another root: a container's files as they are reached from here."""

from __future__ import annotations

import errno
import os
import stat

_MOST_LINKS = 40  # as the kernel's own limit, path_resolution(7)


def inside(root: str, path: str) -> str:
    """`path` of the tree at `root` as this process reaches it, every symlink followed within it.

    `/proc/PID/root/var/run/x` is not enough: where `var/run` links to `/run`, the kernel would go
    on from our own root. A part that does not exist or may not be read stays as it is named. With
    an empty `root` this is os.path.realpath of an absolute path.
    """
    if not root:
        return os.path.realpath(path)
    done: list[str] = []
    todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            del done[-1:]
            continue
        here = "/".join([root.rstrip("/"), *done, part])
        try:
            target = os.readlink(here) if links < _MOST_LINKS else None
        except OSError:
            target = None
        if target is None:
            done.append(part)
            continue
        links += 1
        if target.startswith("/"):
            done.clear()
        todo += [word for word in reversed(target.split("/")) if word not in ("", ".")]
    return "/".join([root.rstrip("/"), *done])


def outside(root: str, path: str) -> str:
    """`path` as the tree at `root` itself names it: the reverse of `inside`."""
    return path[len(root) :] or "/" if root and path.startswith(root) else path


def root_of(pid: int) -> str:
    """Prefix under which a process's files are reached: "" for our own root, or `/proc/PID/root`.

    Also "" where that may not be seen: then its files could not be reached through it either.
    """
    own = f"/proc/{pid}/root"
    theirs = inode(own)
    return "" if theirs is None or theirs == inode("") else own


def inode(root: str) -> tuple[int, int] | None:
    """(device, inode) of the directory that a prefix of root_of leads to; None where not seen."""
    try:
        found = os.stat(f"{root}/")
    except OSError:
        return None
    return found.st_dev, found.st_ino


def seen_prefix(pid: int) -> str:
    """What a chrooted process's links in /proc show before each path of its own; "" for none.

    Of a container's process they show paths as it names them itself, since its mounts cannot be
    reached from our root (proc_pid_cwd(5)).
    """
    try:
        link = os.readlink(f"/proc/{pid}/root")
    except OSError:
        return ""
    return "" if link == "/" else link


def open_regular(path: str) -> int:
    """A descriptor of a regular file, links followed, opened without waiting for a fifo's writer.

    Raises OSError, also for anything but a regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return handle
