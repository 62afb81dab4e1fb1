"""Which file systems other hosts may write to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from beattop.sources.mounts import shared

LINES = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:52 / /srv/run rw,relatime shared:9 master:2 - nfs4 nas:/run rw,vers=4.2
31 22 0:53 / /mnt/a\\040b rw - fuse.sshfs ops@nas: rw
32 22 0:54 / /var/lib/x rw - fuse.fuse-overlayfs overlay rw
33 22 0:55 / /torn
"""


@pytest.mark.parametrize(
    ("minor", "kind"), [(52, "nfs4"), (53, "fuse.sshfs"), (54, None), (55, None), (99, None)]
)
def test_by_the_device(tmp_path: Path, minor: int, kind: str | None) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(LINES)
    assert shared(str(table)).get(os.makedev(0, minor)) == kind


def test_a_local_disk_and_none_at_all(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(LINES)
    assert shared(str(table)).get(os.makedev(8, 1)) is None
    assert shared(str(tmp_path / "absent")).get(os.makedev(8, 1)) is None


def test_the_folder_of_this_test_is_found(tmp_path: Path) -> None:
    """What holds it here may be of any kind; the real table is read without a fault."""
    assert shared().get(os.stat(tmp_path).st_dev) in (None, "nfs4", "nfs", "9p", "virtiofs")
