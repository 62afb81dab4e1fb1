"""Frames from the live box or from a recording."""
