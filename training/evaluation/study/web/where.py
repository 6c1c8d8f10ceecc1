"""Who is rating in this browser, and which page comes next.

The cookie holds the number of who is rating here, or, after stopping or finishing, the code of who did.
"""

import secrets
from dataclasses import dataclass

from flask import redirect, session, url_for
from werkzeug.wrappers import Response

from training.evaluation.study import order
from training.evaluation.study.records import UNSEEN
from training.evaluation.study.store import Rater
from training.evaluation.study.web.parts import parts

_RATER, _CODE, _DONE, _TICKET = "rater", "code", "done", "ticket"


@dataclass(frozen=True, slots=True)
class Walk:
    """pages: all, in this rater's order. current: the first that is not answered; None: all are."""

    pages: tuple[order.Page, ...]
    current: order.Page | None


def walk(rater: Rater) -> Walk:
    pages = order.pages(parts().study, rater.number)
    rated = {one.item for one in parts().store.rated(rater.number)}

    def answered(page: order.Page) -> bool:
        return rater.attention != UNSEEN if page.is_check else page.items[0].id in rated

    return Walk(pages, next((page for page in pages if not answered(page)), None))


def rater() -> Rater | None:
    """Who is rating here and has not finished."""
    found = _in_cookie()
    return found if found and not found.finished else None


def leaving() -> Rater | None:
    """Who is rating here, or has stopped or finished here."""
    code = kept_code()
    return rater() or (parts().store.with_code(code) if code else None)


def kept_code() -> str | None:
    """Of who stopped or finished here."""
    code = session.get(_CODE)
    return code if isinstance(code, str) else None


def is_done() -> bool:
    return bool(session.get(_DONE))


def ticket() -> str:
    """Which beginning this is: the same for two clicks on one button."""
    return str(session.setdefault(_TICKET, secrets.token_urlsafe(16)))


def enter(one: Rater) -> None:
    for key in (_CODE, _DONE, _TICKET):
        session.pop(key, None)
    session[_RATER] = one.number


def leave(one: Rater, *, done: bool) -> None:
    """Takes the rater off this browser, for whoever uses it next."""
    session.clear()
    session[_CODE] = one.code
    session[_DONE] = done


def start() -> Response:
    """For who is not rating here: to the thanks, or where stopping led, or to the consent."""
    found = _in_cookie()
    if found and found.finished:  # a second click on the last button
        leave(found, done=True)
    if is_done():
        return redirect(url_for("doors.thanks"), 303)
    return redirect(url_for("doors.stopped" if kept_code() else "doors.consent"), 303)


def onwards(one: Rater, found: Walk | None = None) -> Response:
    """To what the rater has to do next. found: the rater's walk, where it is known."""
    current = (found or walk(one)).current
    target = url_for("rating.about") if current is None else url_for("rating.page", number=current.number)
    return redirect(target, 303)


def _in_cookie() -> Rater | None:
    number = session.get(_RATER)
    return parts().store.rater(number) if isinstance(number, int) else None
