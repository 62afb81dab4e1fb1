"""Which file systems other hosts may write to, by /proc/self/mountinfo (proc_pid_mountinfo(5))."""

from __future__ import annotations

import os

_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "beegfs")
_SHARED = frozenset((*_NETWORK, "gfs2", "ocfs2", "9p", "virtiofs"))
_FUSE_LOCAL = frozenset(("fuseblk", "fuse.overlayfs", "fuse.fuse-overlayfs", "fuse.lxcfs"))


def shared(mountinfo: str = "/proc/self/mountinfo") -> dict[int, str]:
    """The types of the file systems that are a network's, by their devices (st_dev).

    Any FUSE file system counts but those known to be local: sshfs, s3fs, glusterfs are.
    """
    found: dict[int, str] = {}
    try:
        with open(mountinfo, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                head, _, tail = line.partition(" - ")
                kind = tail.partition(" ")[0]
                if kind in _SHARED or _network_fuse(kind):
                    major, _, minor = head.split()[2].partition(":")
                    found[os.makedev(int(major), int(minor))] = kind
    except OSError:
        pass
    return found


def _network_fuse(kind: str) -> bool:
    return kind.startswith("fuse.") and kind not in _FUSE_LOCAL
