"""Sound as values. Pure."""
