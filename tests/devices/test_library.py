"""The list of devices as values, and PortAudio's failures in our words, with the library played by a stub."""

from __future__ import annotations

import pytest

from voicecli.devices.library import Found, classify, listing, match_device, translated
from voicecli.devices.stream import Trouble
from voicecli.ports import Side, SoundFailure

DEVICES = (
    Found(0, "Built-in Audio", "ALSA", 2, 2),
    Found(1, "USB Headset", "ALSA", 1, 2),
    Found(2, "HDMI", "ALSA", 0, 8),
    Found(3, "USB Camera", "ALSA", 1, 0),
    Found(4, "default", "ALSA", 32, 32, True, True),
)


class PortAudioError(Exception):
    pass


class Stub:
    """As much of sounddevice as the list needs."""

    PortAudioError = PortAudioError

    def __init__(self, hosts, devices, refused=()) -> None:
        self.hosts, self.devices, self.refused = hosts, devices, refused

    def query_hostapis(self):
        return tuple(self.hosts)

    def query_devices(self):
        if self.devices is None:
            raise PortAudioError("Error querying device -1")
        return self.devices

    def check_input_settings(self, device, channels, dtype, samplerate) -> None:
        assert (channels, dtype, samplerate) == (1, "int16", 24_000)
        if device in self.refused:
            raise PortAudioError("Invalid sample rate", -9997)

    check_output_settings = check_input_settings


def host(name: str, devices: list[int], default_in: int = -1, default_out: int = -1):
    return {
        "name": name,
        "devices": devices,
        "default_input_device": default_in,
        "default_output_device": default_out,
    }


def device(name: str, hostapi: int, inputs: int, outputs: int):
    return {"name": name, "hostapi": hostapi, "max_input_channels": inputs, "max_output_channels": outputs}


def test_the_default_is_the_one_of_the_best_host_system() -> None:
    """PortAudio's own choice on Windows is MME; no index of a host without devices is a default."""
    stub = Stub(
        [host("MME", [0, 1], 0, 1), host("Windows DirectSound", [], 0, 0), host("Windows WASAPI", [2, 3], 3, 2)],
        [device("Mic", 0, 2, 0), device("Out", 0, 0, 2), device("Out", 2, 0, 2), device("Mic", 2, 2, 0)],
    )
    found = listing(stub)
    assert [d.number for d in found if d.default_input] == [3]
    assert [d.number for d in found if d.default_output] == [2]
    assert [d.host for d in found] == ["MME", "MME", "Windows WASAPI", "Windows WASAPI"]
    assert found[0].takes_input is None


def test_each_side_of_each_device_is_asked_for_our_format_only_when_wanted() -> None:
    stub = Stub([host("ALSA", [0, 1], 0, 0)], [device("a", 0, 1, 1), device("b", 0, 1, 0)], refused={1})
    a, b = listing(stub, ask=True)
    assert (a.takes_input, a.takes_output) == (True, True)
    assert (b.takes_input, b.takes_output) == (False, None)


def test_no_device_at_all_is_an_empty_list() -> None:
    assert listing(Stub([host("ALSA", [])], [])) == ()


def test_a_library_that_fails_is_trouble() -> None:
    with pytest.raises(Trouble) as trouble:
        listing(Stub([host("ALSA", [])], None))
    assert trouble.value.failure is SoundFailure.NO_DEVICE


@pytest.mark.parametrize(
    ("args", "failure"),
    [
        (("Error querying device -1",), SoundFailure.NO_DEVICE),
        (("Error opening: Invalid sample rate", -9997), SoundFailure.REFUSED_FORMAT),
        (("Error opening: Device unavailable", -9985), SoundFailure.IN_USE),
        (("Error opening: Illegal combination of I/O devices", -9993), SoundFailure.NO_DEVICE),
        (("Error opening", -9999, ("ALSA", -16, "Device or resource busy")), SoundFailure.IN_USE),
        (("Error opening", -9999, ("ALSA", -13, "Permission denied")), SoundFailure.NO_PERMISSION),
        (("Error opening", -9999, ("ALSA", -19, "No such device")), SoundFailure.OTHER),
        (("Error opening", -9999), SoundFailure.OTHER),
        (("something new", -1), SoundFailure.OTHER),
        ((), SoundFailure.OTHER),
    ],
)
def test_each_failure_has_its_own_word(args: tuple[object, ...], failure: SoundFailure) -> None:
    assert classify(args) is failure


def test_what_the_library_raises_becomes_trouble_with_its_words_and_the_device() -> None:
    with pytest.raises(Trouble) as trouble, translated(Stub([], []), "Mic"):
        raise PortAudioError("Invalid sample rate", -9997)
    assert (trouble.value.failure, trouble.value.device) == (SoundFailure.REFUSED_FORMAT, "Mic")
    assert "Invalid sample rate" in trouble.value.detail


@pytest.mark.parametrize(
    ("spec", "side", "number"),
    [
        (None, Side.MICROPHONE, 4),
        ("1", Side.SPEAKER, 1),
        (" 2 ", Side.SPEAKER, 2),
        ("hdmi", Side.SPEAKER, 2),
        ("usb", Side.SPEAKER, 1),
        ("camera", Side.MICROPHONE, 3),
        ("DEFAULT", Side.SPEAKER, 4),
    ],
)
def test_a_device_is_meant_by_number_or_part_of_its_name(spec: str | None, side: Side, number: int) -> None:
    found = match_device(spec, side, DEVICES)
    assert isinstance(found, Found)
    assert found.number == number


@pytest.mark.parametrize(
    ("spec", "side", "words"),
    [
        ("usb", Side.MICROPHONE, "several devices to record from (1 USB Headset, 3 USB Camera)"),
        ("2", Side.MICROPHONE, "no device number 2 to record from"),
        ("99999999999999999999", Side.SPEAKER, "no device number"),
        ("camera", Side.SPEAKER, 'no device "camera" to play to'),
        ("", Side.SPEAKER, "no device"),
    ],
)
def test_an_impossible_device_is_told_in_words(spec: str, side: Side, words: str) -> None:
    answer = match_device(spec, side, DEVICES)
    assert isinstance(answer, str)
    assert words in answer


def test_without_a_default_the_first_that_can_is_taken_and_without_any_it_is_told() -> None:
    assert match_device(None, Side.SPEAKER, DEVICES[2:3]) == DEVICES[2]
    assert match_device(None, Side.MICROPHONE, DEVICES[2:3]) == "there is no device to record from"
    assert match_device(None, Side.MICROPHONE, ()) == "there is no device to record from"


def test_a_name_that_is_listed_by_several_host_systems_is_the_best_one() -> None:
    same = tuple(Found(i, "Speakers", name, 0, 2) for i, name in enumerate(("MME", "Windows WASAPI")))
    assert match_device("speakers", Side.SPEAKER, same) == same[1]


def test_an_exact_name_goes_before_a_part_of_another() -> None:
    two = (Found(0, "USB Audio #2", "ALSA", 1, 1), Found(1, "USB Audio", "ALSA", 1, 1))
    assert match_device("usb audio", Side.SPEAKER, two) == two[1]
