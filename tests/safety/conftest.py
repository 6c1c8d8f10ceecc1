"""What several tests of the safety layer share."""

from collections.abc import Iterator

import pytest

from tide_chat.safety.classifier import Classifier
from tide_chat.safety.encoder import default_folder


@pytest.fixture(scope="module")
def classifier() -> Iterator[Classifier]:
    """The shipped encoder and its n-grams."""
    one = Classifier(default_folder(), patience=30)
    yield one
    one.close()
