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
    rater = where.rater()
    if rater is None:
        return where.start()
    walk = where.walk(rater)
    if walk.current is None or walk.current.number != number:
        return _elsewhere(rater, walk, number)
    stamp = forms.Stamp(parts().secret).make(rater.number, number, time.time())
    return _page(walk, walk.current, stamp, forms.Marks())


@blueprint.post("/page/<int:number>")
def rate(number: int) -> Answer:
    rater = where.rater()
    if rater is None:
        return where.start()
    walk = where.walk(rater)
    if walk.current is None or walk.current.number != number:
        return _elsewhere(rater, walk, number)
    stamp = request.form.get(forms.SHOWN, "")
    shown = forms.Stamp(parts().secret).read(stamp, rater.number, number)
    if shown is None:
        abort(400)
    marks = forms.marks(request.form, len(walk.current.texts))
    if marks.errors:
        return _page(walk, walk.current, stamp, marks), 400
    if not _save(rater, walk.current, marks, max(0.0, time.time() - shown)):
        flash(_SAVED_BEFORE)  # a second click, or another tab, was faster
    return redirect(url_for("doors.go_on"), 303)


@blueprint.get("/about-you")
def about() -> Answer:
    return _at_the_end() or _about({})


@blueprint.post("/about-you")
def finish() -> Answer:
    if elsewhere := _at_the_end():
        return elsewhere
    said, errors = forms.about(request.form)
    if errors:
        return _about(errors), 400
    rater = where.rater()
    if rater is None:
        return where.start()
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


def _elsewhere(rater: Rater, walk: where.Walk, number: int) -> Response:
    """From a page that is not the one to answer."""
    if not 1 <= number <= len(walk.pages):
        abort(404)
    if walk.current is None or number < walk.current.number:
        flash(_SAVED_BEFORE)
    return where.onwards(rater)


def _at_the_end() -> Response | None:
    """None when the rater has answered every page."""
    rater = where.rater()
    if rater is None:
        return where.start()
    return where.onwards(rater) if where.walk(rater).current else None


def _page(walk: where.Walk, shown: order.Page, stamp: str, marks: forms.Marks) -> str:
    return render_template(
        "page.html", page=shown, count=len(walk.pages), stamp=stamp, marks=marks, scale=forms.SCALE, errors=marks.errors
    )


def _about(errors: dict[str, str]) -> str:
    return render_template("about.html", questions=questions, given=request.form, errors=errors)
