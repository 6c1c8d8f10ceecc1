"""The code with which a rater comes back: eight letters and digits that are not mistaken for one another.

40 bits from the system's source of randomness; the pages slow down guessing.
"""

import secrets

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_MISREAD = str.maketrans("ILO", "110")
_LENGTH = 8


def new() -> str:
    made = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return f"{made[:4]}-{made[4:]}"


def read(typed: str) -> str | None:
    """The code in its one form, however it was typed; None when it cannot be one."""
    plain = "".join(c for c in typed.upper() if c.isalnum()).translate(_MISREAD)
    if len(plain) != _LENGTH or not set(plain) <= set(_LETTERS):
        return None
    return f"{plain[:4]}-{plain[4:]}"
