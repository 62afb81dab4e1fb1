"""What the screens are made of; each draws lines of spans, never markup."""
