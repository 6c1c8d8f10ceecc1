"""Ratings and raters as the two CSV files that `tide-eval study analyse` reads, with the study beside them.

No code of a rater is exported. It may run while the study is served.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from tide_chat.atomic import write_bytes
from tide_chat.errors import DataError, TideError
from training.evaluation.study import design, records, store


def export(folder: Path, out: Path) -> tuple[int, int]:
    """Writes ratings.csv, raters.csv, study.json; returns how many raters and ratings. Raises DataError, TideError."""
    study = design.read(folder)
    if not (folder / store.FILE).exists():
        raise DataError("Nobody has begun yet.", details=str(folder), help=f"Begin: tide-eval study serve {folder}")
    with store.Store(folder, design.fingerprint(folder)) as kept:
        raters, ratings = kept.everything()
    try:
        records.write_raters(out / records.RATERS, map(_rater, raters))
        records.write_ratings(out / records.RATINGS, _ratings(study, ratings))
        if out.resolve() != folder.resolve():
            write_bytes(out / design.FILE, (folder / design.FILE).read_bytes())
    except OSError as error:
        raise TideError("The export cannot be written.", details=f"{out}: {error.strerror}") from error
    return len(raters), len(ratings)


def name(number: int) -> str:
    """What a rater is called in the files."""
    return f"r{number:04d}"


def _rater(one: store.Rater) -> records.Rater:
    about = one.about
    started = datetime.fromisoformat(one.started)
    finished = datetime.fromisoformat(one.finished) if one.finished else None
    said = (about.age, about.gender, about.education, about.region)
    return records.Rater(name(one.number), *said, started, finished, one.attention, consent=True)


def _ratings(study: design.Study, ratings: Sequence[tuple[int, store.Rating]]) -> Iterator[records.Rating]:
    items = {item.id: item for item in study.items}
    for rater, one in ratings:
        item = items[one.item]
        cell = (item.id, item.scenario, str(item.block), item.model, item.state)
        yield records.Rating(name(rater), *cell, one.position, one.rating, round(one.seconds, 3))
