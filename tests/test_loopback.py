"""What this machine is called, exactly as written."""

import pytest

from voicecli.loopback import loopback


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost", "127.0.0.1"),
        ("LOCALHOST", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.255.1.2", "127.255.1.2"),
        ("::1", "::1"),
    ],
)
def test_loopback_is_what_is_written_so_g6(host: str, address: str) -> None:
    assert loopback(host) == address


@pytest.mark.parametrize(
    "host",
    [
        *("127.1", "2130706433", "0x7f.1", "127.0.0.01", "127.0.0.1.example", "128.0.0.1", "0.0.0.0", "10.0.0.1"),
        *("localhost.", "localhost.example", "\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54"),
        *("::", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1", "::1%lo", "[::1]"),
        *("api.openai.com", ""),
    ],
)
def test_other_spellings_of_loopback_are_strangers_g6_f41(host: str) -> None:
    assert loopback(host) is None
