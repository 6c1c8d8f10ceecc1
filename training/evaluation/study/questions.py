"""What raters are asked about themselves at the end, each with a way not to say. Knows no page and no database."""

from dataclasses import dataclass

from training.evaluation.study.regions import STATES

AGES = range(18, 121)

GENDERS = {"woman": "Woman", "man": "Man", "nonbinary": "Non-binary", "other": "Another"}

EDUCATION = {
    "high_school": "High school diploma or GED, or less",
    "some_college": "Some college, no degree",
    "associate": "Associate or vocational degree",
    "bachelor": "Bachelor’s degree",
    "graduate": "Graduate or professional degree",
    "other": "Something else",
}

REGIONS = {one.code: one.name for one in sorted(STATES.values(), key=lambda one: one.name)}


@dataclass(frozen=True, slots=True)
class About:
    """What a rater said; None and empty: rather not. gender, education, region: codes of the tables above."""

    age: int | None = None
    gender: str = ""
    education: str = ""
    region: str = ""
