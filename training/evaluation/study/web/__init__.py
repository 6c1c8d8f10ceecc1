"""The study's pages as a Flask application: forms and redirects, no JavaScript, nothing from elsewhere.

The browser learns the place of a page and of a reply, never an item's id or a model's name.
"""

from collections.abc import Sequence

from flask import Flask

from training.evaluation.study.design import Study
from training.evaluation.study.store import Store
from training.evaluation.study.web import doors, errors, guards, rating
from training.evaluation.study.web.limits import Limits
from training.evaluation.study.web.parts import EXTENSION, Parts

_MOST_FORM = 16 * 1024  # bytes
_MOST_FIELDS = 40


def create_app(
    study: Study,
    store: Store,
    secret: str,
    *,
    trusted_hosts: Sequence[str] | None = None,
    https: bool = False,
    limits: Limits | None = None,
) -> Flask:
    """secret: signs cookies and forms. https: cookies only travel encrypted."""
    app = Flask(__name__, static_folder="static", template_folder="templates")
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_NAME="study",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https,
        MAX_CONTENT_LENGTH=_MOST_FORM,
        MAX_FORM_MEMORY_SIZE=_MOST_FORM,
        MAX_FORM_PARTS=_MOST_FIELDS,
        TRUSTED_HOSTS=None if trusted_hosts is None else list(trusted_hosts),
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions[EXTENSION] = Parts(study, store, secret, limits or Limits())
    guards.install(app)
    errors.install(app)
    app.register_blueprint(doors.blueprint)
    app.register_blueprint(rating.blueprint)
    return app
