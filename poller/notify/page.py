"""The same mail as HTML: a block per alert, readable on a telephone, in the dark and on paper. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from poller.model import Letter
from poller.notify.body import brief, left_out, looking, opening, summary
from poller.notify.entry import entry
from poller.notify.selection import select
from poller.notify.subject import counts, headline

if TYPE_CHECKING:
    from jinja2 import Template

# White text on each is readable by WCAG 2.1, 1.4.3 (contrast of 4.5 and more).
_COLOURS: Final = {"HIGH": "#b3261e", "MEDIUM": "#8f5600", "LOW": "#2b62a8", "OK": "#2e6b34", "CLOSED": "#5f6368"}


def page(letter: Letter, attached: Sequence[str] = ()) -> str:
    """One HTML document with inline styles. All text that is not ours is escaped, twice over: as text, as HTML."""
    chosen = select(letter.notifications)
    return _template().render(
        title=headline(letter),
        note=opening(letter),
        summary=summary(letter.notifications),
        counts=counts(letter.notifications),
        entries=[entry(one) for one in chosen.full],
        colours=_COLOURS,
        brief=[brief(one).strip() for one in chosen.brief],
        more=len(chosen.brief) + chosen.left_out,
        left_out=left_out(chosen.left_out).strip() if chosen.left_out else "",
        attached=attached,
        commands=looking(letter.notifications),
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    # Here: a round that sends no mail need not wait for it.
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((files("poller.notify") / "mail.html").read_text("utf-8"))
