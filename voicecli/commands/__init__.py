"""The commands: they put parts together and decide nothing."""
