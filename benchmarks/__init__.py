"""How fast voicecli is, beside a minimal client in the same run: `python -m benchmarks`. Nothing here is a test."""
