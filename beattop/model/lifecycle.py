"""Births and deaths as the kernel or a poll tells them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fork:
    """A process (not a thread) was born."""

    at: float
    pid: int
    ppid: int


@dataclass(frozen=True, slots=True)
class Exec:
    """A process became another program: its command line has to be read again."""

    at: float
    pid: int


@dataclass(frozen=True, slots=True)
class Exit:
    """A process ended."""

    at: float
    pid: int
    ppid: int
    start_ticks: int | None
    started_at: float | None
    status: int | None
    """Exit status 0-255; None where a signal ended it or it is not known."""
    signal: str | None
    """Name of the signal that ended it ("SIGKILL"); None otherwise."""
    cpu_s: float | None
    """All it used, its reaped children's included; None where its clock was missed."""


LifecycleEvent = Fork | Exec | Exit
