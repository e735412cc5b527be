"""`python -m voicecli`: takes its modules from where they are installed, never from the working directory (G4)."""

import sys


def _run() -> int:
    from voicecli.cli import main

    return main()


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # with -m that is the working directory
    sys.exit(_run())
