"""The count of what came lately."""

from voicecli.flood import Flood


def test_as_many_as_are_borne_are_no_flood_and_one_more_is_g12():
    flood = Flood(100, 5.0)
    assert not any(flood.came(1, 1.0) for _ in range(100))
    assert flood.came(1, 1.0)


def test_what_is_older_than_the_time_looked_at_counts_no_more_g12():
    flood = Flood(100, 5.0)
    assert not flood.came(100, 1.0)
    assert not flood.came(100, 6.5)
    assert flood.came(1, 10.9)


def test_a_steady_stream_just_within_the_bound_is_never_a_flood_g12():
    flood = Flood(20_000, 5.0)
    assert not any(flood.came(1, n / 3_600) for n in range(100_000))


def test_a_long_pause_forgets_all():
    flood = Flood(10, 5.0)
    flood.came(10, 0.0)
    assert not flood.came(10, 1e6)
