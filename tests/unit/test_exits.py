"""Words for exit statuses and signals."""

from __future__ import annotations

import pytest

from beattop.model.exits import exit_brief, exit_meaning


@pytest.mark.parametrize(
    ("status", "signal", "words"),
    [
        (73, None, "cannot create (EX_CANTCREAT)"),
        (0, None, "success"),
        (1, None, "general error"),
        (2, None, "usage error or misuse"),
        (64, None, "command line usage error (EX_USAGE)"),
        (78, None, "configuration error (EX_CONFIG)"),
        (126, None, "not executable"),
        (127, None, "command not found"),
        (137, None, "shell: ended by SIGKILL"),
        (143, None, "shell: ended by SIGTERM"),
        (128, None, "exit status 128"),
        (42, None, "exit status 42"),
        (None, "SIGKILL", "killed (SIGKILL: by hand, stopwaitsecs or the OOM killer)"),
        (None, "SIGSEGV", "segmentation fault (SIGSEGV)"),
        (0, "SIGTERM", "told to end (SIGTERM)"),
        (None, "signal 35", "ended by signal 35"),
        (None, "SIGWHATEVER", "ended by SIGWHATEVER"),
        (None, None, "unknown"),
    ],
)
def test_meanings(status, signal, words):
    assert exit_meaning(status, signal) == words


def test_every_sysexit_has_its_name():
    for status in range(64, 79):
        assert "(EX_" in exit_meaning(status, None)


def test_every_status_has_words():
    assert all(exit_meaning(status, None) for status in range(256))


@pytest.mark.parametrize(
    ("status", "signal", "words"),
    [
        (73, None, "73 CANTCREAT"),
        (78, None, "78 CONFIG"),
        (0, None, "0 success"),
        (1, None, "1 error"),
        (127, None, "127 not found"),
        (137, None, "137 SIGKILL"),
        (42, None, "42"),
        (0, "SIGTERM", "SIGTERM"),
        (None, "signal 35", "signal 35"),
        (None, None, "unknown"),
    ],
)
def test_brief_ones(status, signal, words):
    assert exit_brief(status, signal) == words


def test_brief_ones_begin_with_what_they_stand_for():
    assert all(exit_brief(status, None).split()[0] == str(status) for status in range(256))
