"""Which tables of the safety check could not be read: their readers go on without them, and the router says so.

The tables that the lexicon reads are named in `Lexicon.problems`, those of the guard in `RuleBook.problems`.
"""

_found: dict[str, str] = {}


def note(file: str, error: Exception) -> None:
    """Called by whoever reads `file`, once; tables are read once."""
    _found[file] = type(error).__name__


def problems() -> tuple[str, ...]:
    """`file: what went wrong`, of this process."""
    return tuple(f"{file}: {said}" for file, said in tuple(_found.items()))  # another thread may still read
