"""What is said about what is kept, in each state of the history. Whatever the app says of it comes from here."""

from tide_chat.store.book import State
from tide_chat.wording import say

STAYS = {  # a line of the greeting
    State.OFF: "It stays on this computer, and it is gone when you leave.",
    State.LOCKED: "Your history is not open, so this is not kept: it is gone when you leave. /history opens it.",
    State.OPENING: "Your history is being opened. What you write is kept in it, encrypted, on this computer only.",
    State.OPEN: "It is kept in your encrypted history, on this computer only. /history shows it.",
}
SHORT = {State.OFF: "", State.LOCKED: "not kept", State.OPENING: "opening your history", State.OPEN: "kept"}

WRITE = "Write whatever is on your mind."
KEYS = """\
F8 has things to do in a hard moment, with or without a model.
Enter sends. Ctrl+J begins a new line. A slash shows what else you can do."""

FROM_HERE = "From here on, what you write is kept. What was said before is not."
NOTHING_HERE = "Your settings say that conversations are kept, but there is no history here. /history begins one."

NEW = "This conversation is not kept: it cannot be brought back."
FORGET = "It is deleted from your history and from this screen. It cannot be brought back."
LEFT_PART = (
    "What stands here is forgotten, and cannot be brought back. What was kept of it before your history was closed "
    "stays there: /history opens it, to delete that as well."
)
NOT_OPEN = "Only a conversation that is kept can do this. /history opens your history, or begins one."
NOTHING_YET = "Nothing was kept of this conversation yet."
BUSY = "A reply is being written. Esc goes back to it, and once more stops it."
OPENING = "Another conversation is being opened."

UNANSWERED = "Your last message there has no answer yet. Ctrl+R asks for one."
FOUND = "This is where it was found. Page Down goes on from here."
DELETE_ALL = (
    "This deletes every conversation, every check-in, your safety plan, contacts and other texts of yours, and what "
    "stands on this screen. Nobody can bring it back. Files that you wrote elsewhere stay. "
    "Name and topics in /profile, and your settings, stay. From then on nothing is kept."
)
DELETED_ALL = (
    "All that was kept in your history is deleted. Nothing is kept from now on. "
    "Name and topics in /profile, and your settings, stay."
)

TURN_ON = (
    "Your conversations, check-ins and own texts are then kept on this computer only, in one encrypted file. "
    "You can read them again, search them and delete them whenever you like. "
    "Only your passphrase opens it: if it is lost, nobody can recover it, and all that is left is to delete the file."
)
TURN_OFF = "What was kept stays, encrypted, until you delete it. F5 turns it on again."
GOOD_PASSPHRASE = "Four or five words that have nothing to do with each other are easy to remember and hard to guess."
UNLOCK = "What you choose to keep is in one encrypted file. Your passphrase opens it."


def greeting(state: State) -> str:
    """What stands in an empty conversation."""
    return f"{say(WRITE)}\n\n{say(STAYS[state])}\n{say(KEYS)}"
