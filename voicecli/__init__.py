"""voicecli: talk with realtime speech models from a terminal. Importing this loads nothing else."""

__version__ = "0.1.0"
