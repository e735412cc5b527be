"""Chat completions on the wire: prompts as requests, streams as answers, however they are cut, whoever wrote them."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecli.protocol.items import Tool
from voicecli.server.chat_reading import LONGEST_LINE, MOST_BYTES, Reading
from voicecli.server.chat_wire import SPOKEN, Ways, refused, relearned, request
from voicecli.server.orders import Call, Grew, Message, Over, Prompt, Tokens
from voicecli.server.unthought import Unthought

CLOCK = Tool(name="time", description="What time it is.", parameters={"type": "object", "properties": {}})
ASKS = Message("user", "What time is it?")


def sse(*payloads: Any) -> bytes:
    lines = (payload if isinstance(payload, str) else json.dumps(payload) for payload in payloads)
    return b"".join(f"data: {line}\n\n".encode() for line in lines)


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def end(why: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": why}]}


def read(*pieces: bytes) -> list[Grew | Call | Over]:
    reading = Reading()
    given_ = [told for piece in pieces for told in reading.feed(piece)]
    given_ += reading.close()
    assert [isinstance(told, Over) for told in given_] == [False] * (len(given_) - 1) + [True]
    return given_


def words(told: list[Grew | Call | Over]) -> str:
    return "".join(each.text for each in told if isinstance(each, Grew))


def calls(told: list[Grew | Call | Over]) -> list[Call]:
    return [each for each in told if isinstance(each, Call)]


def code(told: list[Grew | Call | Over]) -> str | None:
    assert isinstance(told[-1], Over)
    return told[-1].error.code if told[-1].error else None


# ---- asking ----------------------------------------------------------------------------------------------------------


def test_a_prompt_is_asked_as_a_stream_with_usage_and_all_that_was_set():
    prompt = Prompt("Be brief.", (ASKS,), (CLOCK,), "required", 0.7, 100)
    assert request(prompt, "m", Ways()) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What time is it?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.7,
        "max_tokens": 100,
        "tools": [
            {
                "type": "function",
                "function": {"name": "time", "description": "What time it is.", "parameters": CLOCK.parameters},
            }
        ],
        "tool_choice": "required",
    }


def test_images_stand_behind_the_words_that_came_with_them():
    seen = Message("user", "what is it?", images=("data:image/png;base64,AAAA",))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    (said,) = request(Prompt(messages=(seen,), spoken=False), "m", Ways())["messages"]
    assert said == {"role": "user", "content": [{"type": "text", "text": "what is it?"}, image]}
    (said,) = request(Prompt(messages=(seen._replace(text=""),), spoken=False), "m", Ways())["messages"]
    assert said["content"] == [image]


def test_what_was_not_set_is_not_asked_for():
    assert request(Prompt(messages=(ASKS,), spoken=False), "m", Ways(usage=False)) == {
        "model": "m",
        "messages": [{"role": "user", "content": "What time is it?"}],
        "stream": True,
    }


def test_a_spoken_answer_without_instructions_is_asked_to_be_short_and_speakable():
    assert request(Prompt(messages=(ASKS,)), "m", Ways())["messages"][0] == {"role": "system", "content": SPOKEN}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("auto", "auto"),
        ("required", "required"),
        ({"type": "function", "name": "time"}, {"type": "function", "function": {"name": "time"}}),
        ({"type": "mcp"}, "auto"),
    ],
)
def test_the_choice_of_a_tool_has_the_spelling_of_chat_completions(ours: Any, theirs: Any):
    assert request(Prompt(messages=(ASKS,), tools=(CLOCK,), tool_choice=ours), "m", Ways())["tool_choice"] == theirs


def test_what_is_no_function_is_not_offered():
    assert "tools" not in request(Prompt(messages=(ASKS,), tools=(Tool("mcp"), Tool())), "m", Ways())


def test_outputs_stand_right_behind_their_calls_and_calls_without_one_are_left_out():
    one, two, odd = Call("c1", "time", "{}"), Call("c2", "time", "{}"), Call("c3", "time", '"no object"')
    messages = (
        ASKS,
        Message("assistant", "", (one, two)),
        Message("user", "And?"),
        Message("tool", "noon", call_id="c1"),
        Message("assistant", "Hm.", (odd,)),
        Message("tool", "late", call_id="c3"),
        Message("tool", "of nobody", call_id="c9"),
        Message("assistant", "", (Call("c8", "time", "{}"),)),
    )
    said = request(Prompt(messages=messages, spoken=False), "m", Ways())["messages"]
    assert [(each["role"], each["content"]) for each in said] == [
        ("user", "What time is it?"),
        ("assistant", ""),
        ("tool", "noon"),
        ("user", "And?"),
        ("assistant", "Hm."),
        ("tool", "late"),
    ]
    function = {"name": "time", "arguments": "{}"}
    assert said[1]["tool_calls"] == [{"id": "c1", "type": "function", "function": function}]
    assert said[4]["tool_calls"] == [{"id": "c3", "type": "function", "function": function}]


@pytest.mark.parametrize(
    ("status", "said", "ways"),
    [
        (400, "Unknown parameter: 'stream_options'", Ways(usage=False)),
        (422, "body.stream_options: extra fields not permitted", Ways(usage=False)),
        (400, "use 'max_completion_tokens' instead of 'max_tokens'", Ways(most="max_completion_tokens")),
        (400, "Unsupported value: 'temperature'", Ways(temperature=False)),
        (400, "context length exceeded", None),
        (500, "stream_options", None),
    ],
)
def test_a_server_that_refuses_how_it_is_asked_is_asked_otherwise(status: int, said: str, ways: Ways | None):
    assert relearned(Ways(), status, said) == ways


def test_no_refusal_is_answered_twice_in_the_same_way():
    assert relearned(Ways(usage=False), 400, "stream_options") is None
    assert relearned(Ways(False, "max_completion_tokens", False), 400, "max_completion_tokens temperature") is None


OLLAMA = {"error": {"message": 'model "m" not found, try pulling it first', "type": "api_error", "code": None}}
VLLM = {"object": "error", "message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404}
OPENAI = {"error": {"message": "The model 'm' does not exist or you do not have access", "code": "model_not_found"}}
LLAMA = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
TOOLS = {"error": {"message": "registry.ollama.ai/library/m does not support tools"}}


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        (404, OLLAMA, "llm_model_unknown", 'model "m" not found, try pulling it first'),
        (404, VLLM, "llm_model_unknown", "The model `m` does not exist."),
        (404, OPENAI, "llm_model_unknown", "The model 'm' does not exist or you do not have access (model_not_found)"),
        (404, b"<html>404</html>", "llm_no_api", "HTTP 404"),
        (404, {"detail": "Not Found"}, "llm_no_api", "Not Found"),
        (404, b"404 page not found", "llm_no_api", "404 page not found"),
        (405, b"", "llm_no_api", "HTTP 405"),
        (500, {"error": "Unexpected endpoint or method."}, "llm_no_api", "Unexpected endpoint or method."),
        (422, {"detail": [{"msg": "field required"}]}, "llm_refused", "field required"),
        (422, {"detail": [{"msg": "not permitted", "loc": ["body", "x"]}]}, "llm_refused", "not permitted (body.x)"),
        (422, {"detail": [{"msg": "odd", "loc": 3}]}, "llm_refused", "odd"),
        (400, [{"error": {"message": "bad request", "code": 400}}], "llm_refused", "bad request"),
        (400, TOOLS, "llm_refused", "registry.ollama.ai/library/m does not support tools"),
        (401, {"error": "no key"}, "llm_unauthorized", "no key"),
        (403, b"", "llm_unauthorized", "HTTP 403"),
        (429, b"slow down", "llm_rate_limited", "slow down"),
        (503, LLAMA, "llm_failed", "Loading model"),
        (500, b"[" * 100_000, "llm_failed", "[" * 500),
        (500, b"\xff\xfe", "llm_failed", "\ufffd\ufffd"),
        (302, b"", "llm_refused", "HTTP 302: it sends the request elsewhere (other.example)"),
    ],
)
def test_a_refusal_is_told_by_a_code_of_ours_and_in_the_servers_words(status: int, body: Any, code: str, message: str):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = refused(status, raw, "other.example" if status == 302 else "")
    assert (error.code, error.message) == (code, message)


# ---- reading ---------------------------------------------------------------------------------------------------------

WHOLE = b": hello\r\n\r\n" + sse(
    delta(role="assistant", content=""),
    delta(content="Grüße "),
    delta(content="aus 東京. <thi"),
    delta(content="nk>not said</think>"),
    delta(tool_calls=[{"index": 0, "id": "c1", "type": "function", "function": {"name": "time", "arguments": ""}}]),
    delta(tool_calls=[{"index": 0, "function": {"arguments": '{"zone": '}}]),
    delta(tool_calls=[{"index": 0, "function": {"arguments": '"東京"}'}}]),
    end("tool_calls"),
    {
        "choices": [],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}},
    },
    "[DONE]",
)


def test_words_and_calls_are_read_with_their_usage():
    told = read(WHOLE)
    assert words(told) == "Grüße aus 東京. "
    assert calls(told) == [Call("c1", "time", '{"zone": "東京"}')]
    assert told[-1] == Over(tokens=Tokens(9, 4, 5))


@given(st.lists(st.integers(0, len(WHOLE)), max_size=40))
def test_a_stream_is_the_same_wherever_it_is_cut(cuts: list[int]):
    places = [0, *sorted(cuts), len(WHOLE)]
    pieces = [WHOLE[start:stop] for start, stop in pairwise(places)]
    told, whole = read(*pieces), read(WHOLE)
    assert (words(told), calls(told), told[-1]) == (words(whole), calls(whole), whole[-1])


@given(st.binary(max_size=300), st.lists(st.sampled_from([b"data:", b"\n", b"{", b'"choices":[', b"]}", b"[DONE]"])))
def test_any_bytes_end_in_one_over(noise: bytes, marks: list[bytes]):
    read(noise, *marks, noise)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([[{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":1}'}}]], [Call("a", "f", '{"x":1}')]),
        ([[{"function": {"name": "f", "arguments": "{}"}}]], [Call("", "f", "{}")]),
        ([[{"index": 0, "function": {"name": "f", "arguments": {"x": 1}}}]], [Call("", "f", '{"x": 1}')]),
        ([[{"index": 0, "id": "a", "function": {"name": "f"}}]], [Call("a", "f", "{}")]),
        (  # two at a time, their pieces mixed
            [
                [
                    {"index": 0, "id": "a", "function": {"name": "f"}},
                    {"index": 1, "id": "b", "function": {"name": "g"}},
                ],
                [{"index": 1, "function": {"arguments": "{}"}}],
                [{"index": 0, "function": {"arguments": '{"x":'}}],
                [{"index": 0, "function": {"arguments": "2}"}}],
            ],
            [Call("a", "f", '{"x":2}'), Call("b", "g", "{}")],
        ),
        (  # the same index for each
            [
                [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}],
                [{"index": 0, "id": "b", "function": {"name": "f", "arguments": '{"x":1}'}}],
            ],
            [Call("a", "f", "{}"), Call("b", "f", '{"x":1}')],
        ),
        (  # neither index nor id
            [
                [{"function": {"name": "f", "arguments": '{"x":'}}],
                [{"function": {"arguments": "1}"}}],
                [{"function": {"name": "f", "arguments": "{}"}}],
            ],
            [Call("", "f", '{"x":1}'), Call("", "f", "{}")],
        ),
        (  # id and name again in each piece
            [
                [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}}],
                [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "}"}}],
            ],
            [Call("a", "f", "{}")],
        ),
        ([[{"index": 0, "function": {"arguments": "{}"}}]], []),
    ],
)
def test_calls_are_put_together_however_servers_take_them_apart(pieces: list[Any], expected: list[Call]):
    told = read(sse(*(delta(tool_calls=piece) for piece in pieces), end("tool_calls"), "[DONE]"))
    assert calls(told) == expected


def test_a_call_that_was_cut_by_the_limit_of_tokens_is_not_made():
    half = delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": '{"x'}}])
    assert read(sse(half, end("length"), "[DONE]")) == [Over("incomplete", "max_output_tokens")]


@pytest.mark.parametrize(
    ("why", "over"),
    [
        ("stop", Over()),
        ("tool_calls", Over()),
        ("something", Over()),
        ("length", Over("incomplete", "max_output_tokens")),
        ("content_filter", Over("incomplete", "content_filter")),
    ],
)
def test_why_it_ended_is_told(why: str, over: Over):
    assert read(sse(delta(content="Hm."), end(why), "[DONE]")) == [Grew("Hm."), over]


def test_a_stream_needs_no_done_where_its_end_was_told_and_no_end_where_there_is_a_done():
    assert read(sse(delta(content="Hm."), end("stop"))) == [Grew("Hm."), Over()]
    assert read(sse(delta(content="Hm."), "[DONE]")) == [Grew("Hm."), Over()]
    assert read(sse(delta(content="Hm."), end("stop")).rstrip()) == [Grew("Hm."), Over()]


def test_thoughts_are_not_said():
    told = read(
        sse(
            delta(reasoning_content="Let me see. "),
            delta(reasoning="Hm."),
            delta(content=None, reasoning_content="So."),
            delta(content="\n\nNoon."),
            "[DONE]",
        )
    )
    assert told == [Grew("Noon."), Over()]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think>a b</think>\n\nYes.", "Yes."),
        ("<thinking>a</thinking>Yes.", "Yes."),
        ("Yes. <think>a</think>No.", "Yes. No."),
        ("a < b <thin", "a < b <thin"),
        ("<think>for ever", ""),
        ("", ""),
        ("</think>Yes.", "Yes."),
        ("  <think></think>  1 <3", "1 <3"),
    ],
)
def test_thoughts_in_marks_are_taken_out_wherever_the_text_is_cut(text: str, said: str):
    for size in range(1, len(text) + 2):
        unthought = Unthought()
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert "".join(unthought.feed(piece) for piece in pieces) + unthought.close() == said


def test_parts_of_content_and_refusals_are_words_and_other_choices_are_not():
    told = read(
        sse(
            {"choices": [{"index": 1, "delta": {"content": "Not me."}}, {"index": 0, "delta": {"content": "Me."}}]},
            delta(content=[{"type": "text", "text": " You."}, {"type": "image"}, 3]),
            delta(refusal=" No."),
            "[DONE]",
        )
    )
    assert words(told) == "Me. You. No."


def test_an_answer_in_one_piece_is_an_answer():
    message = {"role": "assistant", "content": "Noon.", "tool_calls": [{"id": "a", "function": {"name": "f"}}]}
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
    told = list(Reading().whole(json.dumps(body, indent=2).encode()))
    assert told == [Grew("Noon."), Call("a", "f", "{}"), Over(tokens=Tokens(3, 0))]
    assert list(Reading().whole(sse(delta(content="Noon."), "[DONE]"))) == [Grew("Noon."), Over()]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"", "llm_cut"),
        (sse(delta(content="Half")), "llm_cut"),
        (sse(delta(content="Half"))[:-8], "llm_garbled"),
        (b"<html>welcome</html>", "llm_garbled"),
        (b"data: {nonsense}\n\n", "llm_garbled"),
        (b"data: [1, 2]\n\n", "llm_garbled"),
        (b'data: {"choices": 3}\n\n', "llm_garbled"),
        (b'data: {"choices": ' + b"[" * 5000 + b"\n", "llm_garbled"),
        (b"data: \xff\xfe\n\n", "llm_garbled"),
        (b"data: " + b"x" * (LONGEST_LINE + 1), "llm_garbled"),
        (b": nothing\n" * (MOST_BYTES // 10 + 1), "llm_garbled"),
        (sse({"error": {"message": "out of memory", "code": 500}}), "llm_failed"),
        (sse({"error": {"message": "slow down", "code": 429}}), "llm_rate_limited"),
        (sse({"error": True}), "llm_failed"),
        (b'{"error": "the model crashed"}\n', "llm_failed"),
        (sse(end("error")), "llm_failed"),
    ],
)
def test_a_stream_that_fails_is_told_by_a_code_of_ours(stream: bytes, expected: str):
    assert code(read(stream)) == expected


def test_the_words_of_an_error_in_mid_stream_are_told():
    told = read(sse(delta(content="Half "), {"error": {"message": "out of memory"}}, delta(content="more")))
    assert words(told) == "Half "
    assert isinstance(told[-1], Over)
    assert told[-1].error is not None
    assert (told[-1].error.code, told[-1].error.message) == ("llm_failed", "out of memory")


def test_nothing_that_comes_behind_the_end_counts():
    reading = Reading()
    assert list(reading.feed(sse("[DONE]", delta(content="more")))) == [Over()]
    assert list(reading.close()) == []
