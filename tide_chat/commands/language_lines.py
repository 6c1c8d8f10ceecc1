"""`/language` in `plain`: the language of the app's own texts, from the next line on. Knows no words in any."""

from tide_chat import wording
from tide_chat.commands.output import say, tell


def change(name: str) -> None:
    """Speak it now and keep it in the settings; without a name, say what there is. Raises TideError, OSError."""
    if name not in wording.NAMES:
        tell("/language and one of these: {names}.", names=", ".join(wording.NAMES))
        return
    from tide_chat import config

    wording.use(name)
    say(f"{wording.say('Language')}: {wording.NAMES[name]}.")
    config.save(config.load().model_copy(update={"language": name}))
