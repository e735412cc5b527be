"""The other end of the same protocol."""
