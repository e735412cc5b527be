"""Descriptor 2 goes to the log, in processes of their own because a process has only one."""

import os
import subprocess
import sys
import textwrap

import pytest

LIMIT_S = 20
POSIX = pytest.mark.skipif(os.name != "posix", reason="shells of POSIX")


def script(text):
    return (sys.executable, "-P", "-c", textwrap.dedent(text))


def test_what_c_libraries_print_goes_to_the_log_and_our_own_lines_do_not(tmp_path):
    log = tmp_path / "log"
    text = f"""
        import os, sys
        from pathlib import Path
        from voicecli.runtime.descriptors import quiet_stderr
        print("one", file=sys.stderr)
        with quiet_stderr(Path({str(log)!r})) as quiet:
            os.write(2, b"ALSA lib pcm.c\\n")
            print("two", file=sys.stderr)
            print("three", file=sys.__stderr__)
            os.write(quiet.descriptor, b"four\\n")
        os.write(2, b"five\\n")
        print("six", file=sys.stderr)
        quiet.undo()
    """
    done = subprocess.run(script(text), capture_output=True, text=True, timeout=LIMIT_S)
    assert done.stderr.split() == ["one", "two", "three", "four", "five", "six"]
    assert log.read_text() == "ALSA lib pcm.c\n"
    if os.name == "posix":
        assert log.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("path", ["None", "Path('/nonexistent/log')"])
def test_without_a_log_it_goes_nowhere_g36(path):
    text = f"""
        import os, sys
        from pathlib import Path
        from voicecli.runtime.descriptors import quiet_stderr
        quiet_stderr({path})
        os.write(2, b"ALSA lib pcm.c\\n")
        print("ours", file=sys.stderr)
    """
    done = subprocess.run(script(text), capture_output=True, text=True, timeout=LIMIT_S)
    assert (done.returncode, done.stderr) == (0, "ours\n")


@POSIX
def test_a_closed_stderr_is_no_reason_to_fail_g36(tmp_path):
    text = "from voicecli.runtime.descriptors import quiet_stderr; quiet_stderr(None).undo()"
    done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *script(text)], timeout=LIMIT_S)
    assert done.returncode == 0
