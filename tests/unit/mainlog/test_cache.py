"""What was read of old files is kept."""

from __future__ import annotations

import gzip
import os

import pytest

from beattop.sources.mainlog import parts
from beattop.sources.mainlog.cache import Cache, default_directory
from beattop.sources.mainlog.follow import MainLog
from tests.unit.mainlog.test_history import whole
from tests.unit.mainlog.written import BASE, log, spawned


class TestCache:
    def read(self, shelf, cache):
        main = MainLog("s", str(shelf))
        told = main.history(cache).read()
        return told, whole(main, told)

    def test_the_second_time_old_files_are_not_read(self, shelf, tmp_path, monkeypatch):
        folder = tmp_path / "cache"
        first, want = self.read(shelf, Cache(folder))
        assert len(list(folder.glob("*.json"))) == 3
        read = []
        real = parts.Part.blocks
        monkeypatch.setattr(parts.Part, "blocks", lambda part: read.append(part.path) or real(part))
        second, got = self.read(shelf, Cache(folder))
        assert got == want
        assert read == [str(shelf)]
        assert second.read_bytes == second.total_bytes == first.total_bytes

    def test_in_memory(self, shelf):
        cache = Cache(None)
        _, want = self.read(shelf, cache)
        for path in shelf.parent.glob("supervisord.log.*"):
            info = path.stat()
            path.write_bytes(b"\n" * info.st_size)
            os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
        assert self.read(shelf, cache)[1] == want
        assert self.read(shelf, Cache(None))[1] != want

    def test_a_changed_file_is_read_anew(self, shelf, tmp_path):
        folder = tmp_path / "cache"
        self.read(shelf, Cache(folder))
        old = shelf.with_name("supervisord.log.3")
        with old.open("ab") as file:
            file.write(log([spawned(BASE + 600.0, 5, "new")]))
        assert "new" in self.read(shelf, Cache(folder))[1]

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: b"",
            lambda data: data[:-20],
            lambda data: data.replace(b"beat2", b"beat3"),
            lambda data: b"0" * 64 + b"\n{}",
            lambda data: b"\xff" * 100,
        ],
    )
    def test_a_corrupted_cache_is_ignored(self, shelf, tmp_path, damage):
        folder = tmp_path / "cache"
        _, want = self.read(shelf, Cache(folder))
        for path in folder.glob("*.json"):
            path.write_bytes(damage(path.read_bytes()))
        assert self.read(shelf, Cache(folder))[1] == want

    def test_broken_files_are_not_kept(self, shelf, tmp_path):
        path = shelf.with_name("supervisord.log.2")
        packed = gzip.compress(path.read_bytes())
        path.unlink()
        path.with_name("supervisord.log.2.gz").write_bytes(packed[:-30])
        folder = tmp_path / "cache"
        for _ in range(2):
            told, _ = self.read(shelf, Cache(folder))
            assert not any(past.complete for past in told.pasts)
        assert len(list(folder.glob("*.json"))) == 2

    def test_a_place_that_cannot_be_written(self, shelf, tmp_path):
        (tmp_path / "file").write_text("")
        cache = Cache(tmp_path / "file" / "cache")
        assert self.read(shelf, cache)[1] == self.read(shelf, cache)[1]

    def test_it_does_not_grow_for_ever(self, shelf, tmp_path):
        folder = tmp_path / "cache"
        folder.mkdir()
        for n in range(100):
            (folder / f"{n}.json").write_text("")
            os.utime(folder / f"{n}.json", (n, n))
        self.read(shelf, Cache(folder))
        kept = {path.name for path in folder.glob("*.json")}
        assert len(kept) == 64
        assert "0.json" not in kept
        assert not list(folder.glob("*.new"))

    def test_where_it_lies(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert default_directory() == tmp_path / "beattop" / "mainlog"
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert default_directory() == tmp_path / ".cache" / "beattop" / "mainlog"
        monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
        assert default_directory() is None
