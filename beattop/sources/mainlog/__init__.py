"""supervisord's main log: its lines, following it, and the past that is written down in it."""
