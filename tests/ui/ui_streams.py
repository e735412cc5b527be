"""Streams of changes as a talk may give them, and every way in which they may be joined and passed over."""

from hypothesis import strategies as st
from msgspec.structs import replace

from voicecli.core.changes import (
    AnyChange,
    Cut,
    Delayed,
    EchoNow,
    Ended,
    Foreign,
    HeardNow,
    Interrupted,
    LevelsNow,
    LimitNow,
    LimitsNow,
    LinkNow,
    PhaseNow,
    QueuedNow,
    SessionNow,
    SoundNow,
    Started,
    Tokens,
    Told,
    TurnConfirmed,
    TurnGone,
    TurnGrew,
    TurnMoved,
    TurnOpened,
    TurnSet,
    UsageNow,
)

ITEMS = st.sampled_from([f"item_{n}" for n in range(5)])
NASTY = st.text(
    st.one_of(st.sampled_from("ab \n\r\t\x1b\x9b\x07\x7f\u2028\u202e\u0301:\x85\x0b\x1c\ud800"), st.characters()),
    max_size=12,
)
TEXTS = st.one_of(NASTY, st.sampled_from(["\nnotice: x", "you: x\nerror: y", "a\r\nend: b", " \n \n"]))
FOREIGN = TEXTS.map(Foreign)
MAYBE_MS = st.none() | st.integers(0, 10**6)

HAPPENED = st.one_of(
    st.builds(
        TurnOpened,
        item=ITEMS,
        after=st.none() | ITEMS,
        role=st.sampled_from(["you", "assistant", "tool", "system"]),
        via=st.sampled_from(["voice", "text", "tool"]),
        started=st.floats(0, 1e6),
    ),
    st.builds(TurnMoved, item=ITEMS, after=st.none() | ITEMS),
    st.builds(TurnGrew, item=ITEMS, text=FOREIGN),
    st.builds(
        TurnSet,
        item=ITEMS,
        status=st.sampled_from(
            ["reserved", "waiting", "streaming", "playing", "done", "interrupted", "failed", "cancelled"]
        ),
        text=FOREIGN,
        heard=FOREIGN,
        unheard=FOREIGN,
        heard_ms=MAYBE_MS,
        received_ms=MAYBE_MS,
        estimate=st.booleans(),
        error_code=TEXTS,
        error=FOREIGN,
        ended=st.none() | st.floats(0, 1e6),
    ),
    st.builds(TurnGone, item=ITEMS),
    st.builds(TurnConfirmed, item=ITEMS, kept_ms=MAYBE_MS),
    st.builds(
        Interrupted,
        item=st.none() | ITEMS,
        by=st.sampled_from(["voice", "key", "text", "command"]),
        cut=st.tuples(st.builds(Cut, item=ITEMS, audio_end_ms=st.integers(0, 9999))),
        removed=st.tuples(ITEMS),
        silent_ms=st.none() | st.floats(0, 100),
    ),
    st.builds(
        Delayed,
        item=ITEMS,
        noticed=st.none() | st.floats(),
        first_sent=st.floats(),
        first_heard=st.floats(),
        from_commit=st.booleans(),
    ),
    st.builds(
        Told,
        severity=st.sampled_from(["info", "warning", "error"]),
        code=TEXTS,
        title=TEXTS,
        hint=TEXTS,
        detail=FOREIGN,
        wait_s=st.none() | st.floats(0, 1e6),
        wait=st.just("") | TEXTS,
        side=st.sampled_from([None, "input", "output"]),
    ),
)
NOW = st.one_of(
    st.builds(EchoNow, echo=st.sampled_from(["off", "half-duplex"])),
    st.builds(LinkNow, state=st.sampled_from(["connecting", "open", "lost", "closed"]), reason=FOREIGN),
    st.builds(PhaseNow, phase=st.sampled_from(["listening", "thinking", "muted", "not_connected", "connecting"])),
    st.builds(
        SoundNow, side=st.sampled_from(["input", "output"]), state=st.sampled_from(["opened", "closed"]), name=FOREIGN
    ),
    st.builds(HeardNow, item=ITEMS, ms=st.integers(0, 9999), characters=st.integers(0, 99)),
    st.builds(LevelsNow, input_db=st.floats(), output_db=st.floats(), queued_s=st.floats()),
    st.builds(QueuedNow, seconds=st.floats(), peaks=st.lists(st.floats(), max_size=3).map(tuple)),
    st.builds(
        LimitsNow,
        limits=st.tuples(
            st.builds(LimitNow, name=FOREIGN, limit=st.floats(), remaining=st.none(), reset_seconds=st.floats())
        ),
    ),
    st.builds(
        UsageNow, item=st.none() | ITEMS, turn=st.builds(Tokens), total=st.builds(Tokens, input_text=st.integers(0, 99))
    ),
    st.builds(
        SessionNow,
        settings=st.tuples(st.tuples(TEXTS, FOREIGN)),
        refused=st.tuples(st.tuples(TEXTS, st.sampled_from(["1", '"x"', "1e999", "[" * 2000, "{"]).map(Foreign))),
        model=FOREIGN,
    ),
)
STARTED = st.builds(
    Started,
    at=st.just("2026-01-01T00:00:00Z"),
    version=st.just("1"),
    mode=st.sampled_from(["talk", "chat"]),
    url=TEXTS,
    model=TEXTS,
    voice=st.none() | TEXTS,
    offline=st.booleans(),
    key_source=TEXTS,
    url_source=TEXTS,
    key_withheld=st.booleans(),
)
ENDED = st.builds(
    Ended,
    exit_code=st.just(0),
    reason=st.just("done"),
    seconds=st.floats(0, 1e6),
    turns=st.just(1),
    interruptions=st.just(2),
)
STREAMS = st.tuples(STARTED, st.lists(st.one_of(HAPPENED, HAPPENED, NOW), max_size=40), ENDED).map(
    lambda parts: [parts[0], *parts[1], parts[2]]
)


def kind(change: AnyChange) -> object:
    """What the latest of wins, None for what happened."""
    if isinstance(change, SoundNow):
        return (SoundNow, change.side)
    return type(change) if type(change).__name__.endswith("Now") else None


def joined(stream: list[AnyChange], choose: st.DataObject) -> list[AnyChange]:
    """`stream` with some neighbours of one `TurnGrew` joined, and some `...Now`s dropped that a later one overtakes."""
    out: list[AnyChange] = []
    for place, change in enumerate(stream):
        overtaken = kind(change) is not None and any(kind(later) == kind(change) for later in stream[place + 1 :])
        if overtaken and choose.draw(st.booleans()):
            continue
        last = out[-1] if out else None
        if (
            isinstance(change, TurnGrew)
            and isinstance(last, TurnGrew)
            and last.item == change.item
            and choose.draw(st.booleans())
        ):
            out[-1] = replace(last, text=Foreign(last.text.raw + change.text.raw))
        else:
            out.append(change)
    return out
