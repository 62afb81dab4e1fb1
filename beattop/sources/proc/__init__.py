"""The /proc sampler: its cost follows the watched processes, not the box."""

from beattop.sources.proc.reading import ProcessReading
from beattop.sources.proc.sampler import Sampler

__all__ = ["ProcessReading", "Sampler"]
