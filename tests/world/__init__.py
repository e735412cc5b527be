"""Simulated worlds: a clock, a network, a card with an ear behind it, a server, a person; the core in them is real.

`python -m tests.world 20000` runs so many seeds, `python -m tests.world --seed 7` one of them.
"""
