"""Readers of one stream of changes: they draw and decide nothing."""
