"""The child, signals and the end that cannot hang; in real processes, because that is what they are."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from voicecli.core.stimuli import PartnerNews
from voicecli.runtime.child import Llm, Wanted
from voicecli.runtime.process import MOST_NEWS, EmbeddedServer, ServerFailed, Signals, end_within, without_secrets
from voicecli.secret import Secret

LIMIT_S = 20
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def script(text):
    return (sys.executable, "-P", "-c", textwrap.dedent(text))


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


SERVER = """
    import json, os, sys
    token = sys.stdin.readline().strip()
    names = sorted(os.environ)
    print(json.dumps({"url": f"ws://127.0.0.1:1/{len(token)}", "token": token, "names": names}), flush=True)
    sys.stdin.read()
"""


# ---- the child


def test_the_child_gets_a_token_says_where_it_listens_and_ends_with_its_stdin_g19():
    server = EmbeddedServer(command=script(SERVER))
    assert server.start() == "ws://127.0.0.1:1/32"
    pid = server.pid
    assert not gone(pid)
    began = time.perf_counter()
    server.stop()
    assert time.perf_counter() - began < 2
    assert gone(pid), "and it is no zombie"
    server.stop()


LISTENER = """
    import json, os, socket, sys
    sys.stdin.readline()
    door = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"url": f"ws://127.0.0.1:{door.getsockname()[1]}/"}), flush=True)
    if HOW != "deaf":
        guest, _ = door.accept()
        if HOW == "well":
            guest.sendall(b"HTTP/1.1 404")
        guest.close()
        door.close()
    sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["well", "deaf"])
def test_a_child_that_lives_is_not_started_again(how: str):
    server = EmbeddedServer(command=script(LISTENER.replace("HOW", repr(how))), knock_s=0.2)
    url, pid = server.start(), server.pid
    assert (server.revive(), server.pid) == (url, pid)
    server.stop()


def test_a_child_that_lets_go_of_its_sockets_is_started_anew_before_it_is_gone():
    """A killed process closes its connection, then its door, and only then can it be waited for."""
    server = EmbeddedServer(command=script(LISTENER.replace("HOW", repr("dying"))), stop_s=0.6)
    url, pid = server.start(), server.pid
    assert not gone(pid)
    second = server.revive()  # it takes this knock, and gives no answer
    assert second != url
    assert gone(pid)
    pid = server.pid
    with socket.create_connection(("127.0.0.1", int(second.rpartition(":")[2].strip("/")))) as knock:
        assert knock.recv(1) == b""
    assert not gone(pid)
    assert server.revive() not in (url, second)  # nobody opens any more
    server.stop()


@POSIX
def test_ctrl_c_in_the_terminal_is_not_for_the_child():
    server = EmbeddedServer(command=script(SERVER))
    server.start()
    group = os.getpgid(server.pid)
    server.stop()
    assert group != os.getpgid(0)


def test_each_child_has_a_token_of_its_own_which_is_not_shown_g19():
    one, two = EmbeddedServer(), EmbeddedServer()
    assert one.token.reveal() != two.token.reveal()
    assert int(one.token.reveal(), 16) < 1 << 128
    assert one.token.reveal() not in repr(vars(one))


def test_the_child_sees_no_key_g19(monkeypatch, tmp_path):
    out = tmp_path / "names"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("VOICECLI_API_KEY", "sk-canary")
    monkeypatch.setenv("OTHER_SECRET", "sk-canary")
    monkeypatch.setenv("HOME_OF_TEST", "kept")
    text = f"import os; open({str(out)!r}, 'w').write(repr(dict(os.environ)))\n" + textwrap.dedent(SERVER)
    server = EmbeddedServer(command=(sys.executable, "-P", "-c", text))
    server.start()
    server.stop()
    assert "sk-canary" not in out.read_text()
    assert "HOME_OF_TEST" in out.read_text()


CHILD = """
    import json, os, sys
    lines = sys.stdin.readline(), sys.stdin.readline()
    me = "/proc/self"
    seen = [open(f"{me}/{name}", "rb").read().decode() for name in ("environ", "cmdline")] if os.path.exists(me) else []
    print(json.dumps({"url": "ws://127.0.0.1:1/"}), flush=True)
    print("nonsense", flush=True)
    print("x" * 50_000, flush=True)
    print(json.dumps({"news": {"part": "ear", "state": "loading"}}), flush=True)
    words = "seen" if "CANARY" + "0123456789" in "".join(seen + sys.argv) else lines[1].strip()
    print(json.dumps({"news": {"part": "mind", "state": "broken", "words": words}}), flush=True)
    sys.stdin.read()
"""


def test_g29_the_key_of_a_language_model_goes_by_standard_input_and_by_nothing_else(monkeypatch):
    monkeypatch.setenv("VOICECLI_LLM_API_KEY", "sk-CANARY0123456789")
    rung = threading.Semaphore(0)
    llm = Llm("http://127.0.0.1:1/v1", "m", Secret("sk-CANARY0123456789"))
    server = EmbeddedServer(command=script(CHILD), wanted=Wanted(llm))
    assert "CANARY0123456789" not in repr(vars(server))
    server.ring = rung.release
    server.start()
    for _ in range(2):
        assert rung.acquire(timeout=LIMIT_S)
    loading, told = server.news
    assert loading == PartnerNews("ear", "loading")
    assert json.loads(told.words) == {
        "llm": {"url": "http://127.0.0.1:1/v1", "model": "m", "key": "sk-CANARY0123456789", "temperature": None}
    }
    server.stop()


def test_news_that_nobody_fetches_is_bounded():
    text = """
        import json
        print(json.dumps({"url": "ws://127.0.0.1:1/"}), flush=True)
        for n in range(1000):
            print(json.dumps({"news": {"part": "ear", "state": "loading", "words": str(n)}}), flush=True)
        input(); input(); input()
    """
    rung = threading.Semaphore(0)
    server = EmbeddedServer(command=script(text))
    server.ring = rung.release
    server.start()
    for _ in range(1000):
        assert rung.acquire(timeout=LIMIT_S)
    assert len(server.news) == MOST_NEWS
    assert server.news[-1].words == "999"
    server.stop()


def test_secrets_are_known_by_their_names():
    kept = {"PATH": "1", "HOME": "2", "LANG": "3"}
    assert without_secrets(kept | {"openai_api_key": "x", "GITHUB_TOKEN": "x", "VOICECLI_URL": "x"}) == kept


def test_a_child_that_dies_is_told_with_its_last_words(tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    server = EmbeddedServer(log, command=script("import sys; sys.exit('no such thing')"))
    with pytest.raises(ServerFailed) as failed:
        server.start()
    assert "exit code 1" in failed.value.what
    assert failed.value.tail == "no such thing"
    assert log.read_text() == "before\nno such thing\n"
    assert server.pid is None


def test_a_log_that_cannot_be_written_does_not_keep_the_child_from_starting_g36(tmp_path):
    server = EmbeddedServer(tmp_path / "absent" / "log", command=script(SERVER))
    server.start()
    server.stop()


def test_a_child_that_says_nothing_has_a_time_limit_and_is_ended_g15():
    server = EmbeddedServer(command=script("import time; time.sleep(60)"), start_s=0.2, stop_s=0.3)
    began = time.perf_counter()
    with pytest.raises(ServerFailed, match="within"):
        server.start()
    assert time.perf_counter() - began < LIMIT_S
    assert server.pid is None


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "{}",
        "[]",
        '{"url": 3}',
        '{"url": "ws://server.example/"}',
        '{"url": "http://127.0.0.1:1/"}',
        "\\xff",
    ],
)
def test_a_child_that_says_something_else_is_no_server(line):
    server = EmbeddedServer(command=script(f"print({line!r}, flush=True); input()"))
    with pytest.raises(ServerFailed, match="where it listens"):
        server.start()
    assert server.pid is None


def test_a_program_that_is_not_there_is_told():
    with pytest.raises(ServerFailed, match="could not be started"):
        EmbeddedServer(command=("/nonexistent/python",)).start()


def test_a_child_that_ignores_its_stdin_and_sigterm_is_gone_within_two_seconds_g15():
    text = """
        import json, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(json.dumps({"url": "ws://127.0.0.1:1/"}), flush=True)
        while True: time.sleep(1)
    """
    server = EmbeddedServer(command=script(text))
    server.start()
    pid = server.pid
    began = time.perf_counter()
    server.stop()
    assert time.perf_counter() - began < 2.0
    assert gone(pid)


def test_a_start_that_waits_can_be_abandoned():
    server = EmbeddedServer(command=script("import time; time.sleep(60)"))

    def give_up():
        while server.pid is None:
            time.sleep(0.01)
        server.abandon()

    threading.Thread(target=give_up, daemon=True).start()
    with pytest.raises(ServerFailed, match="ended"):
        server.start()


def test_the_child_ends_when_we_are_killed_g19(tmp_path):
    note = tmp_path / "pid"
    text = f"""
        import os, time
        from voicecli.runtime.process import EmbeddedServer
        server = EmbeddedServer(command={script(SERVER)!r})
        server.start()
        open({str(note)!r}, "w").write(str(server.pid))
        os._exit(9)
    """
    assert subprocess.run(script(text), timeout=LIMIT_S).returncode == 9
    by = time.perf_counter() + LIMIT_S
    while not gone(int(note.read_text())):
        assert time.perf_counter() < by
        time.sleep(0.01)


# ---- signals and the end


@POSIX
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (getattr(signal, "SIGHUP", 1), 129)]
)
def test_a_signal_is_told_with_its_exit_code_and_the_old_handler_comes_back(number, code):
    told = []
    before = signal.getsignal(number)
    with Signals(told.append):
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
    assert told == [code, code]
    assert signal.getsignal(number) == before


@POSIX
def test_a_wait_for_changes_is_woken_by_a_signal():
    text = """
        import os, signal, threading, time
        from voicecli.runtime.process import Signals
        from voicecli.runtime.thread import Changes
        changes = Changes()
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with Signals(lambda code: changes.ring()):
            raise SystemExit(0 if changes.wait(20) else 1)
    """
    began = time.perf_counter()
    assert subprocess.run(script(text), timeout=LIMIT_S).returncode == 0
    assert time.perf_counter() - began < 10


def test_the_process_ends_in_time_whatever_hangs_g15_f28():
    text = """
        import threading
        from voicecli.runtime.process import end_within
        end_within(0.05, 130, lambda: print("restored", flush=True))
        threading.Thread(target=threading.Event().wait).start()
    """
    done = subprocess.run(script(text), capture_output=True, text=True, timeout=LIMIT_S)
    assert (done.returncode, done.stdout) == (130, "restored\n")


def test_a_restore_that_hangs_or_raises_does_not_keep_the_process_g15():
    for restore in ("threading.Event().wait", "lambda: 1 / 0"):
        text = f"import threading\nfrom voicecli.runtime.process import hard_end\nhard_end(143, {restore})"
        done = subprocess.run(script(text), capture_output=True, text=True, timeout=LIMIT_S)
        assert done.returncode == 143


def test_the_hard_end_can_be_taken_back():
    end_within(3600, 1).cancel()


@POSIX
def test_ctrl_c_does_not_wait_for_a_slow_name_server_g15_f27():
    text = """
        import os, signal, time
        from voicecli.core.changes import Ended
        from voicecli.core.effects import Connect, Hangup, Show
        from voicecli.core.stimuli import Begin, LinkEnded, LinkSlow, Quit
        from voicecli.protocol.dialects import Spelling
        from voicecli.protocol.profiles import Profile
        from voicecli.runtime.dial import Limits
        from voicecli.runtime.process import Signals, end_within
        from voicecli.runtime.socket import WebSocketLink
        from voicecli.runtime.thread import SessionThread

        profile = Profile(name="t", spelling=Spelling.GA, model="m", voice=None, transcription_model=None)

        class Core:
            deadline = None

            def handle(self, stimulus, at):
                match stimulus:
                    case Begin():
                        return [Connect(profile, "wss://slow.example/")]
                    case LinkSlow():
                        os.kill(os.getpid(), signal.SIGINT)
                    case Quit(code):
                        ended = Ended(exit_code=code, reason="interrupted", seconds=0.0, turns=0, interruptions=0)
                        return [Hangup(), Show(ended)]
                return []

        def lookup(*_, **__):
            time.sleep(15)

        def link(give):
            return WebSocketLink(give, limits=Limits(slow_s=0.05), lookup=lookup)

        thread = SessionThread(Core(), None, link)
        thread.give(Begin())
        with Signals(lambda code: thread.give(Quit(code))):
            thread.start()
            while True:
                thread.changes.wait(10)
                for change in thread.changes.take():
                    if isinstance(change, Ended):
                        assert thread.join(2)
                        raise SystemExit(change.exit_code)
    """
    began = time.perf_counter()
    done = subprocess.run(script(text), capture_output=True, text=True, timeout=LIMIT_S)
    assert (done.returncode, done.stderr) == (130, "")
    assert time.perf_counter() - began < 10
