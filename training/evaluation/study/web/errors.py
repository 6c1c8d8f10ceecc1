"""What raters read when something goes wrong: what it means for their answers, and what to do."""

import sqlite3
from http import HTTPStatus

from flask import Flask, current_app, render_template
from werkzeug.exceptions import HTTPException

_WRONG_FORM = (
    "That form could not be read",
    "It may be from an older page, or this browser does not allow cookies, which keep your place here.",
)
_WORDS = {
    HTTPStatus.BAD_REQUEST: _WRONG_FORM,
    HTTPStatus.NOT_FOUND: ("There is no such page", "The address may have been cut short."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("There is no such page", "The address may have been cut short."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("That was too much for this form", "It takes a few short answers only."),
    HTTPStatus.TOO_MANY_REQUESTS: ("That was a little fast", "Please wait a minute, then go on."),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "This page could not be saved just now",
        "Please go back, and send it again in a moment.",
    ),
}
_ELSE = ("Something went wrong on our side", "Please try again in a moment.")


def install(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(sqlite3.Error, _unsaved)


def _http(error: HTTPException) -> tuple[str, int, dict[str, str]]:
    headers = {key: value for key, value in error.get_headers() if key in ("Retry-After", "Allow")}
    return (*_page(error.code or HTTPStatus.INTERNAL_SERVER_ERROR), headers)


def _unsaved(error: Exception) -> tuple[str, int]:
    current_app.logger.error("An answer could not be saved: %s", error)
    return _page(HTTPStatus.SERVICE_UNAVAILABLE)


def _page(status: int) -> tuple[str, int]:
    title, text = _WORDS.get(HTTPStatus(status), _ELSE)
    return render_template("error.html", title=title, text=text), status
