"""Each way to look at the box; every one has a deadline and a status."""
