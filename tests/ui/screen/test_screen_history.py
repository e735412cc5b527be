"""What was sent before."""

from voicecli.ui.screen.history import MOST, MOST_CHARACTERS, Entry, History


def sent(*texts: str) -> History:
    history = History()
    for text in texts:
        history.add(Entry(text))
    return history


def test_it_goes_back_to_the_first_and_forward_to_what_was_being_typed():
    history = sent("one", "two")
    draft = Entry("half a tho")
    assert history.back(draft) == Entry("two")
    assert history.back(Entry("two")) == Entry("one")
    assert history.back(Entry("one")) is None
    assert history.forward(Entry("one")) == Entry("two")
    assert history.forward(Entry("two")) == draft
    assert history.forward(draft) is None


def test_what_was_sent_stays_as_it_was_sent_when_it_is_changed():
    history = sent("one", "two")
    history.back(Entry(""))
    history.back(Entry("two, changed"))
    assert history.forward(Entry("one, changed")) == Entry("two")


def test_the_same_twice_and_what_is_empty_is_not_kept():
    history = sent("one", "one", " ", "")
    assert history.back(Entry("")) == Entry("one")
    assert history.back(Entry("one")) is None


def test_sending_starts_anew():
    history = sent("one")
    history.back(Entry("draft"))
    history.add(Entry("two"))
    assert history.forward(Entry("")) is None
    assert history.back(Entry("")) == Entry("two")


def test_it_is_bounded_in_number_and_in_characters():
    """G11."""
    history = sent(*(f"text {n}" for n in range(MOST + 50)))
    count = 0
    while history.back(Entry("")) is not None:
        count += 1
    assert count == MOST
    history = History()
    for n in range(6):
        history.add(Entry("[mark]", (("[mark]", str(n) * (1 << 20)),)))
    kept = 0
    while (entry := history.back(Entry(""))) is not None:
        kept += len(entry)
    assert 3 << 20 < kept <= MOST_CHARACTERS


def test_a_mark_stands_for_what_was_pasted():
    entry = Entry("see [mark] and [mark]", (("[mark]", "much text"),))
    assert entry.whole == "see much text and [mark]"
