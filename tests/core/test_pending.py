"""What was sent and not answered: matched by event id, else by order, and bounded."""

import pytest

from voicecli.core.pending import MOST, Kind, Pending, Purpose


def test_an_error_is_matched_by_the_id_of_what_caused_it():
    pending = Pending()
    pending.add("e1", Kind.ITEM, "i1")
    pending.add("e2", Kind.RESPONSE)
    assert pending.failed("e2") == Purpose(Kind.RESPONSE, "")
    assert pending.failed("e2") is None
    assert pending.kinds() == (Kind.ITEM,)


@pytest.mark.parametrize("event_id", [None, "", "somebody else's"])
def test_an_error_that_does_not_say_what_it_is_about_takes_nothing(event_id):
    pending = Pending()
    pending.add("e1", Kind.ITEM, "i1")
    assert pending.failed(event_id) is None
    assert len(pending) == 1


def test_an_answer_takes_the_oldest_of_its_kind_and_subject():
    pending = Pending()
    pending.add("e1", Kind.TRUNCATE, "a")
    pending.add("e2", Kind.TRUNCATE, "b")
    pending.add("e3", Kind.TRUNCATE, "a")
    assert pending.answered(Kind.TRUNCATE, "a") == Purpose(Kind.TRUNCATE, "a")
    assert pending.failed("e1") is None
    assert pending.failed("e3") == Purpose(Kind.TRUNCATE, "a")


def test_an_answer_to_nothing_is_none():
    assert Pending().answered(Kind.DELETE, "a") is None


def test_a_server_that_never_acknowledges_does_not_make_it_grow():
    pending = Pending()
    for n in range(MOST + 5):
        pending.add(f"e{n}", Kind.TRUNCATE, "a")
    assert len(pending) == MOST
    assert pending.failed("e4") is None
    assert pending.failed("e5") is not None
