"""A conversation beside the one that is open, on the same engine and encoder: for comparing models inside the app.

The open conversation, its cards and its history stay as they are. The history keeps nothing of it; what is rated goes
into the folder of ratings, as plain text.
"""

from tide_chat.compose import Session, build_companion
from tide_chat.profile import Profile


class Aside:
    """What `sides.Comparison` asks. Methods block; use a worker thread, and not while the open conversation answers."""

    def __init__(self, session: Session) -> None:
        self._session, self._chosen = session, session.chosen
        self.companion = build_companion(session.settings, session.supervisor, session.classifier, session.guard)
        self.companion.country = session.companion.country
        self.companion.profile = Profile()  # raters see replies as they come, and nothing of the presenter's own

    def change_to(self, name: str) -> None:
        """Raises TideError."""
        self._session.change_to(name)
        self.companion.sampling = self._session.companion.sampling

    def close(self) -> None:
        """Back to the model that was chosen. Raises TideError."""
        self._session.use(self._chosen)
