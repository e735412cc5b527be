"""What the server gives: items, text and sound of answers, words of the person, the end of a response."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from voicecli.core import barge_in, notices, tools
from voicecli.core.changes import Status, TurnRole, Via
from voicecli.core.effects import Play
from voicecli.core.intake import too_much
from voicecli.core.pending import Kind
from voicecli.core.responses import Current, Stage
from voicecli.core.talk import Talk
from voicecli.ports import RATE
from voicecli.protocol import events as e
from voicecli.protocol.items import Item

ROLES: Final[dict[str, TurnRole]] = {"user": "you", "assistant": "assistant", "system": "system"}


def committed(talk: Talk, item: str, after: str | UnsetType | None, at: float) -> None:
    """A turn of the person's: its place is fixed now, its words come later, or never."""
    previous = after or None
    ours = talk.pending.answered(Kind.COMMIT) is not None
    by_key = talk.recorder.said() if ours else None
    talk.timings.taken(item, at, by_key=ours)
    talk.uplink.committed(item)
    talk.turn_over(item)
    talk.ending.turn_taken()
    talk.transcript.open(item, "you", "voice", previous)
    talk.transcript.place(item, previous)
    spoken_ms = talk.uplink.take_spoken(item)
    talk.transcript.speech(item, by_key if spoken_ms is None else spoken_ms)
    talk.ending.used = True
    if talk.answers_by_itself:
        talk.responses.expect(at)


def transcription(
    talk: Talk,
    event: e.TranscriptionDelta | e.TranscriptionSegment | e.TranscriptionCompleted | e.TranscriptionFailed,
) -> None:
    """The person's words, bound by item id: before, after or between whatever else happens (B11)."""
    item = event.item_id
    talk.transcript.open(item, "you", "voice", talk.conversation.after(item))
    match event:
        case e.TranscriptionDelta(content_index=part, delta=words):
            talk.transcript.grow(item, part, words)
        case e.TranscriptionSegment(content_index=part, speaker=who, text=words):
            talk.transcript.grow(item, part, f"{who}: {words}\n" if who else words)
        case e.TranscriptionCompleted(transcript=words):
            talk.transcript.said(item, words.strip())
        case e.TranscriptionFailed(error=why):
            talk.transcript.failed(item, why.code or "transcription_failed", why.message or "")
            talk.tell_of_server(notices.told("transcription_failed", why.message or ""))


def item(talk: Talk, item: Item, previous: str | UnsetType | None) -> None:
    """An item of the conversation, however it was announced: a row, its place, and what is known of its text."""
    name = item.id or ""
    if talk.pending.answered(Kind.ITEM, name):
        talk.unsent.pop(name, None)
        talk.timings.noticed(talk.now)
    if name in talk.cut:
        return
    if item.type in tools.CALLS:
        tools.item(talk, item)
    elif item.type in ("message", None) and item.role in ROLES:
        _message(talk, item, ROLES[item.role], previous or None)


def _message(talk: Talk, item: Item, role: TurnRole, previous: str | None) -> None:
    name = item.id or ""
    spoken = any(part.type in ("input_audio", "audio") for part in item.content)
    if role == "you" and item.status == "in_progress":
        spoken = True  # some servers tell a turn when it begins
    via: Via = "voice" if spoken or (role == "assistant" and talk.speaker) else "text"
    fresh, behind = not talk.transcript.known(name), talk.conversation.after(name)
    talk.transcript.open(name, role, via, previous or behind)
    talk.transcript.place(name, previous)
    if fresh and behind is None and (next_one := talk.conversation.before(name)) is not None:
        talk.transcript.put_before(name, next_one)  # it was put at the beginning
    if role == "assistant":
        return
    text = " ".join(filter(None, (part.text or part.transcript for part in item.content)))
    if text or not spoken:
        talk.transcript.said(name, text)
    elif talk.effective.input_audio_transcription in (None, UNSET):
        talk.transcript.said(name)  # nobody will write it down


def retrieved(talk: Talk, whole: Item) -> None:
    """An item as the server has it: what its row lacks is there now."""
    name = whole.id or ""
    if talk.transcript.known(name) or name in talk.cut:
        item(talk, whole, None)
        return
    _shown_whole(talk, whole)
    if whole.role == "assistant":
        talk.transcript.generated(name, 0)


def output_item(talk: Talk, event: e.OutputItemAdded | e.OutputItemDone, at: float) -> None:
    name, response = event.item.id or "", event.response_id
    talk.responses.saw(response, at)
    talk.responses.announced(response, name)
    if talk.responses.dead(response):
        over = talk.transcript.known(name) and not talk.transcript.is_open(name)
        if name not in talk.cut and not over and barge_in.would_be_heard(talk, event.item):
            barge_in.unheard(talk, name, response)
        return
    item(talk, event.item, None)
    if isinstance(event, e.OutputItemDone):
        talk.ledger.finish(name)
        if event.item.status != "incomplete":  # else `response.done` says why
            generated(talk, name)


def text(
    talk: Talk, event: e.TextDelta | e.AudioTranscriptDelta | e.TextDone | e.AudioTranscriptDone, at: float
) -> None:
    """Text of an answer, as it comes or whole."""
    talk.responses.saw(event.response_id, at)
    spoken = isinstance(event, e.AudioTranscriptDelta | e.AudioTranscriptDone)
    if not _row(talk, event.item_id, event.response_id, "voice" if spoken else "text"):
        return
    received = talk.ledger.received(event.item_id)
    match event:
        case e.TextDelta(delta=words) | e.AudioTranscriptDelta(delta=words):
            talk.transcript.grow(event.item_id, event.content_index, words, received)
        case e.TextDone(text=words) | e.AudioTranscriptDone(transcript=words):
            talk.transcript.replace(event.item_id, event.content_index, words, received)


def part(talk: Talk, event: e.ContentPartAdded | e.ContentPartDone, at: float) -> None:
    """A part of an answer. Whole, it has the text that came, or that never came by pieces."""
    talk.responses.saw(event.response_id, at)
    item, given = event.item_id, event.part
    if _row(talk, item, event.response_id, "text" if given.type == "text" else "voice") and (
        whole := given.text or given.transcript
    ):
        talk.transcript.replace(item, event.content_index, whole, talk.ledger.received(item))


def sound(talk: Talk, event: e.AudioDelta, at: float) -> None:
    """Sound of an answer: laid on the timeline, unless it was stopped, or there is nothing to play it."""
    talk.responses.saw(event.response_id, at)
    if not _row(talk, event.item_id, event.response_id, "voice"):
        talk.responses.late += 1
        return
    if not talk.speaker:
        talk.tell_formats()
        return
    form = talk.conversation.form(event.item_id, event.content_index)
    if too_much(form, len(event.delta)):
        talk.malformed += 1
        talk.tell_once("sound", "malformed", f"{form.samples(len(event.delta)) // RATE} seconds of sound at once")
        return
    if data := talk.ledger.whole(event.item_id, event.content_index, event.delta, form):
        position = talk.ledger.lay(event.item_id, form.samples(len(data)))
        talk.timings.sound(talk.transcript.key(event.item_id), event.response_id, position, at)
        talk.out.append(Play(position, data, form))


def _row(talk: Talk, item: str, response: str, via: Via) -> bool:
    """A row for what is about to come; False: it was stopped, and nothing more of it counts."""
    if talk.responses.dead(response) or item in talk.cut:
        return False
    talk.responses.announced(response, item)  # servers differ in whether they announce items
    talk.transcript.open(item, "assistant", via, talk.conversation.after(item))
    return True


def generated(talk: Talk, item: str, status: Status = "done", code: str = "") -> None:
    """All there will be of the item is here; see `Transcript.generated` for what it ends as."""
    talk.ledger.finish(item)
    if talk.transcript.is_open(item) and not talk.transcript.has_text(item):  # it comes only now that it is whole
        whole = talk.conversation.item(item)
        for n, part in enumerate(whole.content if whole is not None else ()):
            talk.transcript.replace(item, n, part.text or part.transcript or "")
    talk.transcript.generated(item, talk.ledger.received(item), status, code)


def done(talk: Talk, event: e.ResponseDone, at: float) -> None:
    """Responses, then usage, then the transcript, then what waited for it."""
    unnamed, talk.unnamed = talk.unnamed, {}
    response = event.response
    name = response.id or ""
    stage = talk.responses.current.stage if talk.responses.current is not None else Stage.DONE
    current = talk.responses.done(name, at)
    if current is not None:
        name = current.id or name
        _answered(talk, current)
        for text in talk.answering if current.ours else ():  # some servers acknowledge no item
            talk.unsent.pop(text, None)
    given = {item.id: item for item in response.output if item.id}
    details = response.status_details
    stopped = talk.responses.dead(name) or (details is not None and details.reason == "turn_detected")
    if not stopped and current is not None:
        given |= _told_last(talk, response.output, unnamed)
    items = list(dict.fromkeys([*(current.items if current else ()), *given]))
    if response.usage is not None:
        last = next((item for item in reversed(items) if talk.transcript.known(item)), None)
        talk.show(talk.counted.add(response.usage, talk.transcript.key(last) if last else None))
    talk.timings.done(name, cancelled=response.status == "cancelled")
    most = response.max_output_tokens or talk.effective.max_response_output_tokens
    why = notices.outcome(
        response.status,
        details,
        talk.plan.key_source,
        most=None if most is UNSET else most,
        wait_s=talk.limits.wait_s(at),
        wanted=current is None or stage is Stage.CANCELLING or talk.responses.dead(name),
        mind=talk.plan.mind,
    )
    tools.all_here(talk)
    ends: Status = "failed" if response.status == "failed" else "done"
    code = why.code if why is not None else ""
    for item in items:
        if talk.ledger.unsettled(item):
            generated(talk, item, ends, code)
        elif item in talk.cut:
            pass
        elif talk.transcript.known(item) and not talk.transcript.is_open(item):
            pass  # it was heard to its end before the rest was stopped
        elif stopped and barge_in.would_be_heard(talk, given.get(item) or talk.conversation.item(item)):
            barge_in.unheard(talk, item, name)
        elif response.status in ("completed", "incomplete"):
            generated(talk, item, ends, code)
        elif why is not None and response.status != "cancelled":
            talk.transcript.stopped(item, "failed", why.code, why.detail.raw)
        else:
            talk.transcript.stopped(item, "cancelled")
    if why is not None:
        talk.tell_of_server(why)
        failed = why.severity == "error" or response.status != "incomplete"
        talk.ending.answer_failed = talk.ending.answer_failed or failed
        if why.code in notices.FATAL:
            talk.connection.fails(why.code, at)
    _free(talk, name, at)


def _told_last(talk: Talk, output: tuple[Item, ...], unnamed: dict[str, str]) -> dict[str, Item]:
    """Rows for the items of which only the end of the response tells. `unnamed`: what came without a name before."""
    came = {key.partition(" ")[0] for key in unnamed}
    given: dict[str, Item] = {}
    for whole in output:
        sort = "call" if whole.type in tools.CALLS else "message"
        name = whole.id or talk.new_id("item")
        if name in talk.cut or talk.transcript.known(name) or sort in came:
            continue
        given[name] = replace(whole, id=name, status=whole.status or "completed")
        _shown_whole(talk, given[name])
    return given


def _shown_whole(talk: Talk, whole: Item) -> None:
    """A row with the text that the item has."""
    name = whole.id or ""
    item(talk, whole, None)
    for n, part in enumerate(whole.content if whole.role == "assistant" else ()):
        talk.transcript.replace(name, n, part.text or part.transcript or "")


def given_up(talk: Talk, current: Current, code: str, at: float) -> None:
    """No `response.done` will come: what there is of its items is all there will be."""
    talk.unnamed = {}
    tools.all_here(talk)
    _answered(talk, current)
    for item in current.items:
        if talk.ledger.unsettled(item):
            generated(talk, item)
        elif item not in talk.cut:
            talk.transcript.stopped(item, "failed" if code else "cancelled", code)
    _free(talk, current.id or "", at)


def _answered(talk: Talk, current: Current) -> None:
    if current.ours:
        talk.pending.answered(Kind.RESPONSE)
    if current.id is not None:
        talk.pending.answered(Kind.CANCEL, current.id)


def _free(talk: Talk, response: str, at: float) -> None:
    """What waited for the end of a response."""
    for item in talk.to_delete.pop(response, []):
        barge_in.delete(talk, item)
    if talk.responses.wanted:
        talk.ask_for_answer(at)
