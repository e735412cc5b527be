"""The session's thread, with a scripted core and a link that is a few lines: what crosses it and how it ends."""

import gc
import logging
import subprocess
import sys
import threading
import time

from far_ends import CANARY
from runtime_fakes import PROFILE, Card, Script, Wire, ended, told

from voicecli.core.changes import Ended, Told
from voicecli.core.effects import Connect, Hangup
from voicecli.core.stimuli import Begin, LinkEnded, Opened, Quit, Typed
from voicecli.ports import LinkFailure, MicBlock
from voicecli.runtime.thread import Changes, SessionThread

LIMIT_S = 10.0
URL = "ws://127.0.0.1:1/"


class Echo(Wire):
    """A link that opens and closes at once."""

    def __init__(self, give, deaf=False):
        super().__init__()
        self.give = give
        self.deaf = deaf
        self.threads = set()

    def open(self, url, headers):
        self.threads.add(threading.current_thread().name)
        self.give(Opened(0.0))

    def close(self, code):
        if not self.deaf:
            self.give(LinkEnded(LinkFailure.CLOSED, code, ""))


def talk(answers=None, sound=None, link=Echo, **options):
    core = Script({Begin: [Connect(PROFILE, URL)], Quit: [Hangup(), ended()]} | (answers or {}))
    return core, SessionThread(core, sound, link, **options)


def until_ended(thread):
    shown = []
    by = time.perf_counter() + LIMIT_S
    while time.perf_counter() < by:
        shown += thread.changes.take()
        if shown and isinstance(shown[-1], Ended):
            return shown
        thread.changes.wait(0.1)
    raise AssertionError(f"no Ended: {shown}")


def test_a_talk_runs_on_its_own_thread_and_ends_after_its_link():
    core, thread = talk({Opened: [told("open")], Typed: lambda typed: [told(typed.text)]})
    thread.give(Begin())
    thread.start()
    thread.give(Typed("hello"))
    thread.give(Quit())
    shown = until_ended(thread)
    assert [change.code for change in shown[:-1] if isinstance(change, Told)].count("hello") == 1
    assert thread.join(LIMIT_S)
    assert not thread.alive
    assert core.kinds[0] == "Begin"
    assert thread.failure is None


def test_the_link_is_opened_on_the_session_thread():
    links = []

    def link(give):
        links.append(Echo(give))
        return links[0]

    _, thread = talk({Opened: [Hangup(), ended()]}, link=link)
    thread.give(Begin())
    thread.start()
    assert thread.join(LIMIT_S)
    assert links[0].threads == {"session"}


def test_ringing_after_the_end_is_silent():
    _, thread = talk({Begin: [ended()]})
    thread.give(Begin())
    thread.start()
    assert thread.join(LIMIT_S)
    for _ in range(3):
        thread.ring()
        thread.give(Typed("x"))


def test_many_rings_from_many_threads_lose_nothing():
    blocks = 500
    card = Card()
    core, thread = talk(
        {Begin: [], MicBlock: lambda _: [ended()] if core.kinds.count("MicBlock") == 4 * blocks else []}, sound=card
    )
    thread.start()

    def record():
        for _ in range(blocks):
            card.coming.append(MicBlock(b"", 0.0))
            thread.ring()

    recorders = [threading.Thread(target=record) for _ in range(4)]
    for one in recorders:
        one.start()
    assert thread.join(LIMIT_S)
    assert core.kinds.count("MicBlock") == 4 * blocks


def test_a_deadline_is_met_without_anything_coming_in():
    class Clockwork(Script):
        def handle(self, stimulus, at):
            effects = super().handle(stimulus, at)
            if type(stimulus).__name__ == "Tick":
                return [ended()]
            self.deadline = at + 0.05
            return effects

    core = Clockwork()
    thread = SessionThread(core, None, lambda give: Wire())
    thread.give(Begin())
    thread.start()
    assert thread.join(LIMIT_S)
    (_, began), (_, ticked) = core.handled
    assert ticked >= began + 0.05


def test_a_link_that_does_not_close_is_not_waited_for_long_g15():
    _, thread = talk(link=lambda give: Echo(give, deaf=True), link_end_s=0.05)
    thread.give(Begin())
    thread.give(Quit())
    thread.start()
    assert thread.join(LIMIT_S)


def test_a_bug_in_the_core_is_seen_by_the_face_g15_f28():
    def broken(_):
        raise ZeroDivisionError

    _, thread = talk({Typed: broken})
    thread.give(Begin())
    thread.give(Typed("x"))
    thread.start()
    assert until_ended(thread)[-1].exit_code == 70
    assert thread.join(LIMIT_S)
    assert isinstance(thread.failure, ZeroDivisionError)


def test_a_thread_that_dies_of_anything_still_says_that_it_has_ended_f28():
    class Dies(Script):
        def handle(self, stimulus, at):
            raise SystemExit(5)

    thread = SessionThread(Dies(), None, Echo)
    thread.give(Begin())
    thread.start()
    shown = until_ended(thread)
    assert [change.exit_code for change in shown if isinstance(change, Ended)] == [70]
    assert thread.join(LIMIT_S)


def test_an_error_in_the_loop_is_logged_without_its_text_g9(capfd, caplog):
    class Faulty(Echo):
        def open(self, url, headers):
            import asyncio

            loop = asyncio.get_running_loop()
            loop.call_soon(self.raise_)
            loop.call_later(0.02, self.give, LinkEnded(LinkFailure.DROPPED, None, ""))

        def raise_(self):
            raise ValueError(CANARY)

    _, thread = talk({LinkEnded: [ended()]}, link=Faulty)
    with caplog.at_level(logging.DEBUG):
        thread.give(Begin())
        thread.start()
        assert thread.join(LIMIT_S)
    out, err = capfd.readouterr()
    assert "ValueError" in caplog.text
    assert CANARY not in out + err + caplog.text


def test_a_thread_that_was_never_started_can_be_joined():
    _, thread = talk()
    assert thread.join(0.0)


def test_changes_keep_their_order_and_ring_once_for_many():
    changes = Changes()
    assert not changes.wait(0.0)
    for number in range(3):
        changes.put(number)
    assert changes.wait(0.0)
    assert list(changes.take()) == [0, 1, 2]
    assert not changes.wait(0.0)
    assert list(changes.take()) == []


def test_the_interpreter_is_settled_for_sound():
    code = (
        "import gc, sys\n"
        "from voicecli.runtime.thread import settle_interpreter\n"
        "settle_interpreter()\n"
        "print(gc.get_freeze_count() > 1000, gc.get_threshold()[0] >= 10_000, sys.getswitchinterval())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == ["True", "True", "0.001"], done.stderr
    assert gc.isenabled()
