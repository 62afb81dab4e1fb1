"""Plans, their careful execution, and the journal."""
