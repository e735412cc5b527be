"""Which dialect a server speaks, where nobody has said so: its greeting is believed, or another one is tried, once.

It knows no dialect by name. A talk has a plan for either; the one that is not spoken is `plan.other`, until there was
another connection for its sake.
"""

from __future__ import annotations

from msgspec.structs import replace

from voicecli.core.effects import Spell
from voicecli.core.stimuli import LinkEnded
from voicecli.core.talk import Talk
from voicecli.ports import LinkFailure
from voicecli.protocol.dialects import Spelling
from voicecli.protocol.profiles import MISTAKEN, WRONG_DIALECT


def greeted(talk: Talk, spelling: Spelling | None) -> None:
    """The server's own spelling is taken over on the same connection; what the person has set is never changed."""
    plan = talk.plan
    if spelling is None:
        return
    plans = {each.profile.spelling: each for each in (plan.other, plan) if each is not None}
    spoken = plans.get(spelling)
    if spoken is plan:
        return
    if spoken is not None:
        # The URL works. Whoever greets in one dialect and takes only the other is still given that chance.
        talk.plan = replace(spoken, url=plan.url, other=replace(plan, other=None))
        talk.out.append(Spell(talk.plan.profile))
    elif talk.connections == 1:
        talk.tell_once("greeting", "wrong_dialect", dialect=spelling.value)


def refused(talk: Talk, ended: LinkEnded, spoken: bool) -> bool:
    """Whether the link was closed over the dialect, and there will be one more connection in the other one."""
    if spoken or ended.failure is not LinkFailure.CLOSED:
        return False
    named = {each for each, signs in MISTAKEN.items() if any(code in ended.reason for code in signs.codes)}
    own = {talk.plan.profile.spelling}
    # Whoever says that the other one is not spoken there is not asked for it.
    over = named == own or (ended.code == WRONG_DIALECT and not named)
    return over and once_more(talk, ended.reason)


def once_more(talk: Talk, detail: str) -> bool:
    """Says that the other dialect is tried, where there is one to try."""
    other = talk.plan.other
    if other is None:
        return False
    talk.tell(f"dialect_{other.profile.spelling.value}", detail)
    return True
