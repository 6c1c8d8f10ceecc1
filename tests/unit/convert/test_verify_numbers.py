"""KL divergence, agreement and perplexity against values worked out by hand."""

from math import log

import numpy
import pytest

from convert.verify.numbers import ROWS, Tally, log_softmax, rank_and_probability


def logits(*rows: tuple[float, ...]) -> numpy.ndarray[tuple[int, int], numpy.dtype[numpy.float32]]:
    """Logits of given probabilities."""
    return numpy.log(numpy.array(rows, numpy.float32))


def test_divergence_is_the_one_of_the_textbook() -> None:
    tally = Tally()
    tally.add(logits((0.5, 0.5)), logits((0.75, 0.25)), [-1])
    wanted = 0.5 * log(0.5 / 0.75) + 0.5 * log(0.5 / 0.25)
    assert tally.numbers().kl_mean == pytest.approx(wanted, rel=1e-6)


def test_it_takes_hfs_model_as_the_truth() -> None:
    tally = Tally()
    tally.add(logits((0.9, 0.1)), logits((0.5, 0.5)), [-1])
    assert tally.numbers().kl_mean == pytest.approx(0.9 * log(1.8) + 0.1 * log(0.2), rel=1e-6)


def test_equal_logits_diverge_by_nothing_however_they_are_shifted() -> None:
    values = numpy.random.default_rng(0).standard_normal((3 * ROWS + 1, 50)).astype(numpy.float32)
    tally = Tally()
    tally.add(values, values + numpy.float32(64), [-1] * len(values))
    found = tally.numbers()
    assert found.tokens == len(values)
    assert abs(found.kl_mean) < 1e-10
    assert found.top_agreement == 1.0


def test_perplexity_counts_only_what_was_followed_by_something() -> None:
    tally = Tally()
    tally.add(logits((0.25, 0.75), (0.5, 0.5)), logits((0.5, 0.5), (0.9, 0.1)), [0, -1])
    assert tally.numbers().perplexity_hf == pytest.approx(4)
    assert tally.numbers().perplexity == pytest.approx(2)


def test_the_error_of_perplexity_is_that_of_the_differences() -> None:
    """What both find equally hard says nothing about the difference."""
    tally = Tally()
    theirs = logits((0.25, 0.75), (0.001, 0.999), (0.25, 0.75), (0.001, 0.999))
    ours = logits((0.5, 0.5), (0.002, 0.998), (0.5, 0.5), (0.002, 0.998))
    tally.add(theirs, ours, [0, 0, 0, 0])
    found = tally.numbers()
    assert log(found.perplexity / found.perplexity_hf) == pytest.approx(-log(2), rel=1e-5)
    assert found.perplexity_error == pytest.approx(0, abs=1e-6)
    tally.add(logits((0.5, 0.5)), logits((0.5, 0.5)), [0])  # differences: four of -ln 2, one of 0
    assert tally.numbers().perplexity_error == pytest.approx(log(2) * 0.4 / 5**0.5, rel=1e-5)


def test_positions_add_up_over_calls() -> None:
    once, twice = Tally(), Tally()
    theirs, ours = logits((0.5, 0.5), (0.1, 0.9)), logits((0.6, 0.4), (0.9, 0.1))
    once.add(theirs, ours, [0, 1])
    twice.add(theirs[:1], ours[:1], [0])
    twice.add(theirs[1:], ours[1:], [1])
    assert once.numbers() == twice.numbers()
    # HF's first row is even: both take the first of the likeliest.
    assert once.numbers().top_agreement == 0.5


def test_nothing_added_is_an_error() -> None:
    with pytest.raises(ValueError, match="no positions"):
        Tally().numbers()


def test_rank_and_probability() -> None:
    row = logits((0.2, 0.5, 0.3))[0]
    for token, wanted, share in ((1, 1, 0.5), (0, 3, 0.2)):
        rank, probability = rank_and_probability(row, token)
        assert rank == wanted
        assert probability == pytest.approx(share)


def test_probabilities_sum_to_one_for_large_logits() -> None:
    values = numpy.array([[1e4, 1e4 - 1, -1e4]], numpy.float32)
    assert numpy.exp(log_softmax(values)).sum() == pytest.approx(1)
