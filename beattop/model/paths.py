"""Paths as a process would resolve them, without touching the disk."""

from __future__ import annotations

import posixpath


def absolute(path: str | None, cwd: str | None, workdir: str | None = None) -> str | None:
    """`path` made absolute against `--workdir`, else the working directory.

    None where `path` is empty or cannot be placed. Links are not followed: that is the business
    of whoever reads the disk.
    """
    if not path:
        return None
    base = posixpath.join(cwd or "", workdir) if workdir else cwd
    if not path.startswith("/"):
        if not base or not base.startswith("/"):
            return None
        path = posixpath.join(base, path)
    return posixpath.normpath(path)


def project(cwd: str | None) -> str | None:
    """The project a working directory belongs to: `/srv/x/releases/7/src` is `/srv/x//src`.

    Capistrano-like deploys keep each release in a directory of its own beside `current`.
    """
    if cwd is None:
        return None
    parts = posixpath.normpath(cwd).split("/")
    for index, part in enumerate(parts):
        if part in ("releases", "versions", "builds", "deploys") and index + 1 < len(parts):
            return "/".join([*parts[:index], "", *parts[index + 2 :]])
        if part == "current" and index > 1:
            return "/".join([*parts[:index], "", *parts[index + 1 :]])
    return posixpath.normpath(cwd)
