"""The pages with replies to rate, and the questions at the end.

Each POST is on disk before its redirect leads on. A page that was answered stays as it is: sending it again, or going
back to it, leads on with a word about it.
"""

import time

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from training.evaluation.study import order, questions
from training.evaluation.study.store import Rater, Rating
from training.evaluation.study.web import forms, where
from training.evaluation.study.web.parts import parts

Answer = str | Response | tuple[str, int]
blueprint = Blueprint("rating", __name__)

_SAVED_BEFORE = "That page was saved before, and its first answers stand. This is where you are now."


@blueprint.get("/page/<int:number>")
def page(number: int) -> Answer:
    asked = _asked(number)
    if isinstance(asked, Response):
        return asked
    rater, walk, shown = asked
    stamp = forms.Stamp(parts().secret).make(rater.number, number, time.time())
    return _page(walk, shown, stamp, forms.Marks())


@blueprint.post("/page/<int:number>")
def rate(number: int) -> Answer:
    asked = _asked(number)
    if isinstance(asked, Response):
        return asked
    rater, walk, answered = asked
    stamp = request.form.get(forms.SHOWN, "")
    shown = forms.Stamp(parts().secret).read(stamp, rater.number, number)
    if shown is None:
        abort(400)
    marks = forms.marks(request.form, len(answered.texts))
    if marks.errors:
        return _page(walk, answered, stamp, marks), 400
    if not _save(rater, answered, marks, max(0.0, time.time() - shown)):
        flash(_SAVED_BEFORE)  # a second click, or another tab, was faster
    return redirect(url_for("doors.go_on"), 303)


@blueprint.get("/about-you")
def about() -> Answer:
    rater = _at_the_end()
    return rater if isinstance(rater, Response) else _about({})


@blueprint.post("/about-you")
def finish() -> Answer:
    rater = _at_the_end()
    if isinstance(rater, Response):
        return rater
    said, errors = forms.about(request.form)
    if errors:
        return _about(errors), 400
    parts().store.finish(rater.number, said)
    where.leave(rater, done=True)
    return redirect(url_for("doors.thanks"), 303)


def _save(rater: Rater, answered: order.Page, marks: forms.Marks, seconds: float) -> bool:
    """seconds: on the page; its replies share them evenly, since nobody can say which one was being read."""
    if answered.is_check:
        return parts().store.attend(rater.number, marks.values[1] == order.CHECK_ANSWER)
    each = seconds / len(answered.items)
    ratings = [Rating(item.id, answered.first + i, marks.values[i + 1], each) for i, item in enumerate(answered.items)]
    return parts().store.rate(rater.number, ratings)


def _asked(number: int) -> tuple[Rater, where.Walk, order.Page] | Response:
    """The page of this number with who rates here, where it is the one to answer; else where to go."""
    rater = where.rater()
    if rater is None:
        return where.start()
    walk = where.walk(rater)
    if walk.current is not None and walk.current.number == number:
        return rater, walk, walk.current
    if not 1 <= number <= len(walk.pages):
        abort(404)
    if walk.current is None or number < walk.current.number:
        flash(_SAVED_BEFORE)
    return where.onwards(rater, walk)


def _at_the_end() -> Rater | Response:
    """Who has answered every page; else where to go."""
    rater = where.rater()
    if rater is None:
        return where.start()
    walk = where.walk(rater)
    return where.onwards(rater, walk) if walk.current else rater


def _page(walk: where.Walk, shown: order.Page, stamp: str, marks: forms.Marks) -> str:
    return render_template(
        "page.html", page=shown, count=len(walk.pages), stamp=stamp, marks=marks, scale=forms.SCALE, errors=marks.errors
    )


def _about(errors: dict[str, str]) -> str:
    return render_template("about.html", questions=questions, given=request.form, errors=errors)
