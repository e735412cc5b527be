"""Scenarios and exercises from the command line: a written one by `serve`, and the partner's by a chat."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands.processes import Home

CAFE = Path(__file__).parents[2] / "docs" / "scenarios" / "cafe.toml"
TOOL = {
    "tools": [
        {
            "type": "function",
            "name": "get_weather",
            "parameters": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
        }
    ]
}


def test_serve_plays_the_documented_scenario_to_a_chat(home: Home) -> None:
    with home.running("serve", "--port", "0", "--scenario", str(CAFE)) as serve:
        url = serve.lines().until("^voicecli serve: listening on .*$").rsplit(" ", 1)[1]
        done = home.run("chat", "hello", "--url", url)
        assert (done.code, done.out) == (0, "Good morning. One moment, please. What would you like?\n")
        broken = home.run("chat", "the bill, please", "--url", url)
        assert broken.code == 1
        assert "The till is broken." in broken.err
        serve.process.terminate()
        assert serve.process.wait(10) == 0


def test_a_bad_scenario_is_exit_2_with_its_place(home: Home) -> None:
    (home.work / "bad.toml").write_text('[[answer]]\nsayy = "x"\n')
    done = home.run("serve", "--port", "0", "--scenario", "bad.toml")
    assert (done.code, done.out) == (2, "")
    assert "bad.toml cannot be played: answer 1: there is no field 'sayy'; did you mean say?" in done.err


def test_g3_the_folders_env_names_no_scenario(home: Home) -> None:
    (home.work / ".env").write_text(f"VOICECLI_SCENARIO={CAFE}\n")
    done = home.run("serve", "--port", "0")
    assert done.code == 2
    assert "VOICECLI_SCENARIO may not be set by .env in this folder." in done.err


def test_an_exercise_in_a_chat_and_a_tool_that_is_called_as_the_readme_says(home: Home) -> None:
    (home.work / "tool.json").write_text(json.dumps(TOOL))
    done = home.run(
        "chat",
        "--offline",
        "--session",
        "tool.json",
        stdin=b"Repeat after me: good day\nWhat is the weather in Bergen?\n",
    )
    assert (done.code, done.err) == (0, "")
    said = [line for line in done.lines if line.startswith(("assistant", "tool"))]
    assert said == [
        "assistant: I am voicecli's practice partner and no language model. good day",
        'tool: get_weather {"city": "Bergen"}',
    ]
