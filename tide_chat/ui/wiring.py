"""Puts the real core behind the ports of the app. The only module under `ui` that knows all of it."""

from collections.abc import Callable

from tide_chat import compose
from tide_chat.care.keeping import Care
from tide_chat.clinician.desk import Desk
from tide_chat.clinician.recorded import Recorded
from tide_chat.compose import AppOptions, Session
from tide_chat.engine.base import Cancel
from tide_chat.registry import Registry, hub, machine
from tide_chat.registry.catalogue import Model
from tide_chat.registry.places import Installed
from tide_chat.safety import disclosure, helplines, protocol
from tide_chat.safety.cards import HelpLine
from tide_chat.safety.protocol import Block
from tide_chat.store.book import Book
from tide_chat.ui.ports import Core, ModelRow


def build(options: AppOptions) -> Core:
    """Everything the app drives. Starts the engine's process: call it before the app's event loop runs."""
    session = Session(options.settings, options.chat_template, kind=Recorded)
    session.start()
    words, shelf, care = AuthoredWords(session), RegistryShelf(session), Care()
    book = Book(on=options.settings.history, days=options.settings.history_days)
    session.companion.plan, session.companion.carried = care.plan_in_short, care.carried
    session.companion.keeper = book
    desk = Desk.of(session, on=options.inspect)
    return Core(session.companion, session.supervisor, shelf, words, options.settings, options.save, care, book, desk)


class AuthoredWords:
    """The first screen and the help lines, from the safety layer."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def disclosure(self, country: str | None) -> str:
        return disclosure.text(country or self._session.companion.country, away=disclosure.away())

    def disclosure_due(self) -> bool:
        return disclosure.due()

    def accept_disclosure(self) -> None:
        disclosure.accept()

    def protocol(self) -> tuple[Block, ...]:
        return protocol.blocks()

    def help_lines(self, country: str | None) -> tuple[HelpLine, ...]:
        return helplines.overview(country or self._session.companion.country)

    def help_footnote(self, country: str | None) -> str:
        return helplines.footnote(country or self._session.companion.country)

    def set_country(self, country: str | None) -> None:
        settings = self._session.settings.model_copy(update={"country": country})
        self._session.companion.country = compose.country(settings)


class RegistryShelf:
    """Models that are here or could be fetched, from the registry."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def rows(self) -> tuple[ModelRow, ...]:
        """Installed models, then those that the catalogue knows beside them."""
        registry = Registry.load()
        installed = registry.installed()
        here = {one.alias for one in installed}
        others = tuple(_available(model) for model in registry.models if model.alias not in here)
        return (*(_installed(one) for one in installed), *others)

    def use(self, alias: str) -> None:
        self._session.use(alias)

    def pull(self, alias: str, on_progress: Callable[[int, int], None], cancel: Cancel) -> None:
        from tide_chat.registry import download

        download.pull(alias, on_progress, cancel)


def _installed(one: Installed) -> ModelRow:
    title = one.model.entry.title if one.model else str(one.path)
    licence = one.model.entry.licence.name if one.model else ""
    return ModelRow(one.alias, title, one.size, licence, installed=True)


def _available(model: Model) -> ModelRow:
    entry, size = model.entry, model.file.size_bytes
    short = not machine.fits_memory(machine.memory_needed(size, entry.kv_bytes_per_token))
    warning = "This computer's memory may be too small for it." if short else ""
    where = hub.endpoint().removeprefix("https://")
    return ModelRow(model.alias, entry.title, size, entry.licence.name, False, where, warning)
