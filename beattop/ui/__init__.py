"""The live screen: the only place that imports textual and rich."""
