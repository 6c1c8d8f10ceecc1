"""What the clinician's screens and commands ask of a running session: a look into the newest turn, and receipts.

Off until it is switched on for a session. Methods that read files or ask the encoder block: use a worker thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tide_chat import wording
from tide_chat.clinician import hashes
from tide_chat.clinician.recorded import Recorded, Turn
from tide_chat.compose import Session
from tide_chat.errors import ModelNotFound, TideError, UsageError
from tide_chat.registry import Registry
from tide_chat.safety.encoder import Unavailable
from tide_chat.safety.router import excerpt

if TYPE_CHECKING:  # what few sessions ask for is loaded then
    from tide_chat.clinician.inspection import Looked, Section
    from tide_chat.clinician.receipt import ModelFiles, Receipt
    from tide_chat.compose import AppOptions
    from tide_chat.registry import Resolved

NO_TURN = "There is no answered message yet."


@dataclass(slots=True)
class Desk:
    """`on`: switched on for this session."""

    session: Session
    talk: Recorded
    on: bool = False

    @classmethod
    def of(cls, session: Session, *, on: bool = False) -> Self:
        """`session` was made with kind=Recorded."""
        assert isinstance(session.companion, Recorded)
        return cls(session, session.companion, on)

    @classmethod
    @contextmanager
    def opened(cls, options: "AppOptions") -> Iterator[Self]:
        """A session of its own, without a screen."""
        with Session(options.settings, options.chat_template, kind=Recorded) as session:
            yield cls.of(session, on=True)

    def newest(self) -> "tuple[Section, ...]":
        """The newest turn from inside; none before the first."""
        from tide_chat.clinician import inspection

        turn = self.talk.newest_turn
        return inspection.sections(turn, self._looked(turn)) if turn else ()

    def receipt(self) -> "Receipt":
        """Raises UsageError before the first turn, ModelError or OSError where a model's file is gone."""
        from tide_chat.clinician import receipt

        if self.talk.newest_turn is None:
            raise UsageError(NO_TURN)
        steps, asked = tuple(self.talk.steps), self.talk.newest_asked
        return receipt.Receipt(
            receipt.made(asked),
            tuple(self.files(name) for name in dict.fromkeys(step.model for step in steps if step.model)),
            self._settings(),
            asked.sampling if asked else self.talk.sampling,
            self.talk.earlier,
            steps,
        )

    def files_in_use(self, _name: str = "") -> "ModelFiles":
        """Raises ModelError, OSError."""
        if self.session.resolved is None:
            raise ModelNotFound("No model is in use.")
        return _files(self.session.resolved)

    def files(self, alias: str) -> "ModelFiles":
        """The model in use may be a file that no alias names. Raises ModelError, OSError."""
        return _files(self._resolved(alias))

    def _resolved(self, alias: str) -> "Resolved":
        now = self.session.resolved
        return now if now and now.alias == alias else Registry.load().resolve(alias)

    def _settings(self) -> dict[str, object]:
        """Those that bear on replies; threads, seed and the rest come with the turns.

        What the person is called and does not want brought up stays out.
        """
        saved, style = self.session.settings, str(self.talk.profile.style)
        words = {"country": self.talk.country, "language": wording.language(), "reply_style": style}
        return {**words, "gpu": saved.gpu, "context": saved.context}

    def _looked(self, turn: Turn) -> "Looked":
        from tide_chat.clinician.inspection import Looked

        files, classifier = self._files_in_words(turn), self.session.classifier
        try:
            heads = classifier.heads
            readings = tuple(heads.readings(excerpt(turn.text), partial(classifier.vector, glossed=True)))
            return Looked(readings, heads.thresholds, files=files, factors=self._factors(turn, heads.sha256))
        except Unavailable as error:
            return Looked(missing=str(error), files=files)

    def _factors(self, turn: Turn, encoder_sha256: str) -> "Section | None":
        from tide_chat.clinician.factors import Heads

        heads = Heads.shipped(encoder_sha256) if turn.asked and turn.result.reply else None
        return heads.section(turn.result.reply, self.session.classifier.vector) if heads else None

    def _files_in_words(self, turn: Turn) -> dict[str, str]:
        if turn.info is None:
            return {}
        try:
            resolved = self._resolved(turn.info.name)
            found = _files(resolved)
        except (TideError, OSError) as error:
            return {"File": str(error)}
        lines = {"File": Path(turn.info.path).name, "SHA-256": found.model_sha256}
        if resolved.adapter:
            lines |= {"Adapter": resolved.adapter.name, "Its SHA-256": found.adapter_sha256}
        return lines


def _files(resolved: "Resolved") -> "ModelFiles":
    from tide_chat.clinician.receipt import ModelFiles

    adapter = hashes.sha256(resolved.adapter) if resolved.adapter else ""
    return ModelFiles(resolved.alias, hashes.sha256(resolved.path), adapter)
