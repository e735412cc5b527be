"""What `voicecli devices` says, from plain values."""

from __future__ import annotations

import json

from voicecli.commands.devices import remedy, to_json, to_text
from voicecli.devices.library import Found, Listing
from voicecli.ports import SoundFailure

LISTING = Listing(
    (
        Found(0, "Headset\x1b[31m", "ALSA", 1, 2, False, False, False, True),
        Found(11, "default", "ALSA", 32, 32, True, True, True, True),
        Found(12, "HDMI", "ALSA", 0, 8, False, False, None, None),
    )
)


def test_both_sides_are_listed_with_the_default_marked_and_what_does_not_fit() -> None:
    text = to_text(LISTING)
    microphones, speakers = text.split("\nSpeakers")
    assert "*  11  default" in microphones.replace("* 11", "*  11")
    assert "does not take 24 kHz" in microphones.splitlines()[1]
    assert "HDMI" not in microphones
    assert "HDMI" in speakers
    assert "does not take" not in speakers


def test_a_device_name_never_reaches_the_terminal_raw() -> None:
    assert "\x1b" not in to_text(LISTING)
    assert "\x1b" not in to_json(LISTING)


def test_a_side_without_devices_says_none() -> None:
    assert "  none" in to_text(Listing((Found(0, "HDMI", "ALSA", 0, 2),)))


def test_json_is_one_line_with_every_value() -> None:
    rows = json.loads(to_json(LISTING))["devices"]
    assert rows[1]["default_input"] is True
    assert rows[0]["takes_input"] is False
    assert "\n" not in to_json(LISTING)
    assert json.loads(to_json(Listing((), SoundFailure.NO_LIBRARY, "x"))) == {"devices": [], "failure": "no_library"}


def test_each_reason_for_an_empty_list_has_its_remedy() -> None:
    assert "apt install libportaudio2" in remedy(Listing((), SoundFailure.NO_LIBRARY))[1]
    assert remedy(Listing(()))[0] == "No sound device was found."
    stalled = remedy(Listing((), SoundFailure.STALLED, "\x1b]0;owned\x07"))
    assert "does not answer" in stalled[0]
    assert "\x1b" not in stalled[2]
    assert len(remedy(Listing((), SoundFailure.OTHER))) == 2
