"""What a person asks of the server beside texts, by the program itself over loopback."""

from __future__ import annotations

import base64
import json
import re

import pytest

from tests.commands.processes import Home, wait_for
from tests.commands.servers import server
from tests.commands.test_pictures import png
from tests.commands.test_talks import DIALECTS, LONG, at_terminal, last_turns, objects, speaking


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_server_says_what_it_keeps_of_an_answer_that_was_cut(dialect: str, home: Home) -> None:
    with server(responder=LONG) as far, at_terminal(home, far, "--dialect", dialect) as talk:
        out = talk.lines()
        talk.type("/kept")
        out.until(r"^notice: There is no answer yet that the server could keep\.$")
        talk.type("hello")
        speaking(home)
        talk.type("/interrupt")
        out.until("^assistant: .*Interrupted at")
        talk.type("/kept")
        said = out.until(r"^notice: The server keeps .* seconds of its sound and none of its words\. .*$")
        wait_for(lambda: bool(far.sent("conversation.item.retrieve")))
        (asked,), (cut,) = far.sent("conversation.item.retrieve"), far.sent("conversation.item.truncate")
        assert asked["item_id"] == cut["item_id"]
        seconds = re.search(r"keeps (\d+\.\d) seconds", said)
        assert seconds is not None
        assert float(seconds[1]) == pytest.approx(cut["audio_end_ms"] / 1000, abs=0.051)
        talk.type("/quit")
        assert talk.done().code == 0


def test_an_image_is_sent_with_what_is_asked_about_it_and_what_is_typed_behind_it_waits(home: Home) -> None:
    (home.work / "my cat.png").write_bytes(png(640, 480))
    (home.work / "no.png").write_text("hello")
    with server() as far, home.running("chat", "--url", far.url, terminal=True) as chat:
        out = chat.lines()
        out.until("^state: waiting for you to type")
        chat.type('/image "my cat.png" what is this?')
        chat.type("and this?")
        out.until(r"^you: \(image my cat\.png, 640x480\) what is this\?$")
        wait_for(lambda: len(far.sent("conversation.item.create")) == 2)
        image, text = (frame["item"]["content"] for frame in far.sent("conversation.item.create"))
        assert [part["type"] for part in image] == ["input_image", "input_text"]
        assert base64.b64decode(image[0]["image_url"].removeprefix("data:image/png;base64,")) == png(640, 480)
        assert text == [{"type": "input_text", "text": "and this?"}]
        out.until("^assistant: Answer .* to and this")
        chat.type("/image my\\ cat.png")
        out.until(r"^notice: my cat\.png is in the talk now\. Ask about it; .*$")
        out.until(r"^you: \(image my cat\.png, 640x480\)$")
        chat.type("/image no.png what?")
        out.until(r"^notice: That image cannot be sent: it is neither PNG nor JPEG\. Nothing of it was sent: .*$")
        chat.type("/image gone.png what?")
        out.until(r"^notice: That image cannot be sent: No such file or directory\. ")
        assert len(far.sent("conversation.item.create")) == 3
        chat.type("/quit")
        assert chat.done().code == 0


def test_an_image_goes_by_a_command_in_json_and_the_end_of_the_input_waits_for_it(home: Home) -> None:
    (home.work / "cat.png").write_bytes(png(4, 3))
    line = json.dumps({"type": "command", "line": "/image cat.png what is this?"})
    done = home.run("chat", "--jsonl", "--offline", stdin=f"{line}\n".encode())
    assert (done.code, done.err) == (0, "")
    you, said = last_turns(objects(done.out)).values()
    assert (you["role"], you["image"], you["text"]) == ("you", "cat.png, 4x3", "what is this?")
    assert 'You wrote: "what is this?"' in said["text"]
    assert "You sent 1 image, which I cannot see." in said["text"]


def test_an_image_has_no_place_in_the_beta_and_that_is_told(home: Home) -> None:
    (home.work / "cat.png").write_bytes(png(4, 3))
    with server() as far, home.running("chat", "--url", far.url, "--dialect", "beta", terminal=True) as chat:
        out = chat.lines()
        out.until("^state: waiting for you to type")
        chat.type("/image cat.png what is this?")
        out.until(r"^notice: This server's dialect has no place for images, so that one was not sent\. .*$")
        chat.type("hello")
        out.until("^assistant: Answer 1 to hello")
        assert len(far.sent("conversation.item.create")) == 1
        chat.type("/quit")
        chat.done()


def test_an_image_can_be_put_into_a_spoken_talk(home: Home) -> None:
    (home.work / "cat.png").write_bytes(png(4, 3))
    with server(responder=LONG) as far, at_terminal(home, far, "--ptt") as talk:
        talk.type("/image cat.png")
        talk.lines().until(r"^notice: cat\.png is in the talk now\.")
        wait_for(lambda: bool(far.sent("conversation.item.create")))
        assert far.sent("response.create") == []
        talk.type("/quit")
        assert talk.done().code == 0
