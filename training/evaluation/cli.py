"""`tide-eval`: metrics, judges, the human study and reports. Loads nothing that computes until it is asked to."""

from collections.abc import Sequence

from tide_chat import entry
from training.evaluation.safety.command import command as safety

PLANNED = {
    "auto": "Automatic metrics against reference replies.",
    "judge": "Ratings by a language model.",
    "study": "The human study: sheets, tables and tests.",
    "report": "One report from the results of the others.",
}

app = entry.group("tide-eval", "Measure the replies of the models that tide-chat runs.", PLANNED)
app.add_command(safety)


def main(arguments: Sequence[str] | None = None) -> int:
    return entry.run(app, arguments)
