"""`tide-eval`: metrics, judges, the human study and reports. Loads nothing that computes until it is asked to."""

from collections.abc import Sequence

from tide_chat import entry
from training.evaluation.auto.command import command as auto
from training.evaluation.judge.command import command as judge
from training.evaluation.report.command import command as report
from training.evaluation.safety.command import command as safety
from training.evaluation.study.command import command as study

app = entry.group("tide-eval", "Measure the replies of the models that tide-chat runs.")
app.add_command(auto)
app.add_command(judge)
app.add_command(report)
app.add_command(safety)
app.add_command(study)


def main(arguments: Sequence[str] | None = None) -> int:
    return entry.run(app, arguments)
