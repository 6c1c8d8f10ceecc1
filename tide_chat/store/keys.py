"""From a passphrase to the key of the history. Knows neither files nor SQL.

scrypt (RFC 7914) from the standard library, with 128 MiB a guess, so that guessing needs memory and not only time. The
salt is the first 16 bytes of the history's own file: one file is all there is to copy or to lose.
"""

import hashlib
import unicodedata
from dataclasses import dataclass, field

from tide_chat.errors import UsageError
from tide_chat.wording import say

SALT_BYTES, KEY_BYTES = 16, 32
SHORTEST = 8  # characters; shorter ones are guessed whatever the key derivation costs

# Part of the file format: another cost makes another key of the same passphrase.
COST, BLOCK, LANES = 2**17, 8, 1
_MEMORY = 2**28  # bytes; what OpenSSL may use


@dataclass(frozen=True, slots=True)
class Key:
    """32 bytes that open the history. Not shown when printed."""

    raw: bytes = field(repr=False)


def derive(passphrase: str, salt: bytes) -> Key:
    """The same passphrase and salt (16 bytes) give the same key, however its letters were composed (NFKC). Takes about
    a second."""
    plain = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    return Key(hashlib.scrypt(plain, salt=salt, n=COST, r=BLOCK, p=LANES, maxmem=_MEMORY, dklen=KEY_BYTES))


def check(passphrase: str) -> None:
    """Whether a new passphrase can be used. Raises UsageError, which does not repeat it."""
    if len(passphrase.strip()) < SHORTEST:
        raise UsageError(
            say("The passphrase is too short: it needs {count} characters or more.", count=SHORTEST),
            help="Four or five words that have nothing to do with each other are easy to remember and hard to guess.",
        )
