"""Nouns of the box and pure functions over them; standard library only, no clock, no I/O."""
