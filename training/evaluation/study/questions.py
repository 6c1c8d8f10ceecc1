"""What raters are asked about themselves at the end, each with a way not to say. Knows no page and no database."""

from dataclasses import dataclass

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

_STATES = """
AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware
DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky
LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana
NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota
OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas
UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming
"""
REGIONS = {one[:2]: one[3:] for one in _STATES.strip().replace("\n", "|").split("|")}


@dataclass(frozen=True, slots=True)
class About:
    """What a rater said; None and empty: rather not. gender, education, region: codes of the tables above."""

    age: int | None = None
    gender: str = ""
    education: str = ""
    region: str = ""
