"""The pages and dialogs of the live screen."""
