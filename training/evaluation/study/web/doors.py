"""The ways in and out: consent, the code, instructions, stopping, coming back, withdrawing, thanks."""

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from tide_chat.safety import helplines
from training.evaluation.study import codes, make
from training.evaluation.study.web import guards, where
from training.evaluation.study.web.parts import parts

Answer = str | Response | tuple[str, int]
blueprint = Blueprint("doors", __name__)

_NEEDS = ("veterans", "abuse", "sexual", "substance")  # what the messages of such studies are about
_AGREE = "Please tick the box if you agree. Without it nothing begins."
_SURE = "Please tick the box if you want your answers deleted."
_UNKNOWN = "This code is not known here. It has eight letters and digits, such as 7KQ2-M4XW."
_MOST_SHOWN = 20


@blueprint.app_context_processor
def _on_every_page() -> dict[str, object]:
    country = parts().study.country
    crisis = helplines.lines_for(country, "crisis", most=4)
    others = (line for need in _NEEDS for line in helplines.lines_for(country, need, most=1))
    lines = dict.fromkeys((helplines.emergency(country), *crisis, *others, helplines.ANYWHERE[1]))
    return {"title_of_study": parts().study.title, "help_lines": tuple(lines), "help_note": helplines.footnote(country)}


@blueprint.get("/")
def consent() -> Answer:
    rater = where.rater()
    return where.onwards(rater) if rater else _consent("")


@blueprint.post("/")
def begin() -> Answer:
    if rater := where.rater():
        return where.onwards(rater)
    if request.form.get("agree") != "yes":
        return _consent(_AGREE), 400
    if not parts().limits.starts.take(guards.client()):
        raise guards.too_many()
    where.enter(parts().store.new_rater(where.ticket()))
    return redirect(url_for(".code"), 303)


@blueprint.get("/code")
def code() -> Answer:
    rater = where.rater()
    return render_template("code.html", code=rater.code) if rater else where.start()


@blueprint.get("/instructions")
def instructions() -> Answer:
    return render_template("instructions.html") if where.rater() else where.start()


@blueprint.get("/go-on")
def go_on() -> Answer:
    rater = where.rater()
    return where.onwards(rater) if rater else where.start()


@blueprint.post("/stop")
def stop() -> Answer:
    if rater := where.rater():
        where.leave(rater, done=False)
    return redirect(url_for(".stopped"), 303)


@blueprint.get("/stopped")
def stopped() -> Answer:
    code = where.kept_code()
    return render_template("stopped.html", code=code) if code and not where.is_done() else where.start()


@blueprint.get("/resume")
def resume() -> Answer:
    return render_template("resume.html", typed="", error="")


@blueprint.post("/resume")
def come_back() -> Answer:
    guesses = parts().limits.codes
    if not guesses.has(guards.client()):
        raise guards.too_many()
    typed = request.form.get("code", "")
    known = codes.read(typed)
    rater = parts().store.with_code(known) if known else None
    if rater is None:
        guesses.take(guards.client())
        return render_template("resume.html", typed=typed[:_MOST_SHOWN], error=_UNKNOWN), 400
    if rater.finished:
        where.leave(rater, done=True)
        return redirect(url_for(".thanks"), 303)
    where.enter(rater)
    return where.onwards(rater)


@blueprint.get("/withdraw")
def withdraw() -> Answer:
    return render_template("withdraw.html", error="") if where.leaving() else where.start()


@blueprint.post("/withdraw")
def delete() -> Answer:
    rater = where.leaving()
    if rater is None:
        return where.start()
    if request.form.get("sure") != "yes":
        return render_template("withdraw.html", error=_SURE), 400
    parts().store.withdraw(rater.number)
    session.clear()
    return redirect(url_for(".withdrawn"), 303)


@blueprint.get("/withdrawn")
def withdrawn() -> Answer:
    return render_template("withdrawn.html")


@blueprint.get("/thanks")
def thanks() -> Answer:
    return render_template("thanks.html", code=where.kept_code()) if where.is_done() else where.start()


def _consent(error: str) -> str:
    where.ticket()
    study = parts().study
    sizes = make.Size.of(study)
    return render_template("consent.html", contact=study.contact, size=sizes, error=error)
