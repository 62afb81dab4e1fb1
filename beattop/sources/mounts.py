"""Which file systems other hosts may write to, by /proc/self/mountinfo (proc_pid_mountinfo(5))."""

from __future__ import annotations

import os

_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "beegfs")
_SHARED = frozenset((*_NETWORK, "gfs2", "ocfs2", "9p", "virtiofs"))
_FUSE_LOCAL = frozenset(("fuseblk", "fuse.overlayfs", "fuse.fuse-overlayfs", "fuse.lxcfs"))


def shared(device: int, mountinfo: str = "/proc/self/mountinfo") -> str | None:
    """The type of the file system on `device` (st_dev) where it is a network's; None elsewhere.

    Any FUSE file system counts but those known to be local: sshfs, s3fs, glusterfs are.
    """
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open(mountinfo, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                head, _, tail = line.partition(" - ")
                if head.split()[2:3] == [wanted]:
                    kind = tail.split()[0] if tail else ""
                    return kind if kind in _SHARED or _network_fuse(kind) else None
    except OSError:
        return None
    return None


def _network_fuse(kind: str) -> bool:
    return kind.startswith("fuse.") and kind not in _FUSE_LOCAL
