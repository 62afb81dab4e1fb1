"""Faces without a screen: text, JSON, a check line, metrics."""
