"""transformers and peft without remarks and bars: the terminal has its own, and what they say is for developers."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hushed() -> Iterator[None]:
    """Puts everything back as it was, filters of warnings too."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by names that are going
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
