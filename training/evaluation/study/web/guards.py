"""What holds for every request: CSRF tokens, a limit per client, headers. Knows no page."""

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]
from werkzeug.exceptions import TooManyRequests

from training.evaluation.study.web.parts import parts

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
_WAIT_SECONDS = 60


def install(app: Flask) -> None:
    app.before_request(_not_too_many)
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as the cookie: raters take breaks
    app.config["WTF_CSRF_SSL_STRICT"] = False  # some people's browsers send no Referer
    CSRFProtect(app)
    app.after_request(_with_headers)


def client() -> str:
    return request.remote_addr or "unknown"


def too_many() -> TooManyRequests:
    return TooManyRequests(retry_after=_WAIT_SECONDS)


def _not_too_many() -> None:
    if request.endpoint != "static" and not parts().limits.requests.take(client()):
        raise too_many()


def _with_headers(response: Response) -> Response:
    response.headers.update(_HEADERS)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"  # Back asks again, and is led to the page to answer
    return response
