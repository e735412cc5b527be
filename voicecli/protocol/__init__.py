"""The wire, for either end of it. Pure."""
