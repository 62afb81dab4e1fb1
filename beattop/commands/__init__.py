"""What each command does, free of how it is spelled."""
