"""`tide-eval judge`: the options and what is printed. Loads what computes when it runs."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tide_chat import entry

if TYPE_CHECKING:
    from training.evaluation.judge.judges import Judge

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("judge", short_help="Let a language model rate replies, or compare them in pairs.")
@click.argument("replies", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="REPLIES...")
@click.option("--judge", metavar="MODEL", help="An alias or GGUF file; with --url, the model's name there.")
@click.option("--url", metavar="ADDRESS", help="An OpenAI-compatible address, as http://127.0.0.1:8080/v1")
@click.option("--out", type=_FOLDER, required=True, help="The run folder to write.")
@click.option("--calls", type=click.IntRange(1, 100), default=3, show_default=True, help="For each reply or pair.")
@click.option("--pairwise", is_flag=True, help="Compare every two replies to a text, in both orders.")
@click.option("--limit", type=click.IntRange(1), help="Only the replies to so many texts, drawn by the seed.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything random.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Processor threads of a local judge.")
@click.option("--timeout", type=click.FloatRange(0.1), default=120, show_default=True, help="Seconds, with --url.")
@click.option("--remote-i-know", is_flag=True, help="Allow a --url outside this machine and private networks.")
def command(
    replies: tuple[Path, ...],
    judge: str | None,
    url: str | None,
    out: Path,
    calls: int,
    pairwise: bool,
    limit: int | None,
    seed: int,
    threads: int | None,
    timeout: float,
    remote_i_know: bool,
) -> int:
    """Rate replies from 1 to 5 for emotional warmth, situational fit and genuineness, as the paper's gold scores.

    REPLIES are replies.jsonl files of `tide-eval auto`, or folders of `tide-eval study new`; of a study, the gold.csv
    that is written is what `tide-eval study analyse --gold` reads.

    Each call has its own seed and order of criteria. The judge sees the conversation and the reply, never who wrote it.
    A reply's score is the mean of its calls. The same command goes on where it was interrupted.

    Judge scores overrate replies and miss safety faults: they do not stand in for raters.
    """
    from tide_chat import extras
    from tide_chat.progress import bar
    from training.evaluation.judge.run import Job, run

    extras.require("Judging", "eval")
    with _judge(judge, url, threads, timeout, remote_i_know) as asked, bar() as say:
        tables = run(Job(asked, replies, out, calls, pairwise, limit, seed, entry.typed()), say)
    click.echo("\n".join(table.markdown() for table in tables), nl=False)
    click.echo(f"Written: {out}", err=True)
    return 0


def _judge(
    name: str | None, url: str | None, threads: int | None, timeout: float, remote: bool
) -> "AbstractContextManager[Judge]":
    """Raises UsageError, ModelError, TideError."""
    from tide_chat.errors import UsageError
    from training.evaluation.judge.address import Address

    if url:
        return nullcontext(Address(url, name, remote=remote, timeout=timeout))
    if not name:
        raise UsageError("Who is to judge?", help="--judge MODEL for a local model, or --url ADDRESS")
    return _local(name, threads)


def _local(name: str, threads: int | None) -> "AbstractContextManager[Judge]":
    """Without an adapter that the catalogue may put on a model: a judge is a model as it comes."""
    from tide_chat.registry import Registry
    from training.evaluation.judge.process import LocalJudge

    found = Registry.load().resolve(name)
    names = (found.alias, found.model.entry.alias) if found.model else (found.alias,)
    return LocalJudge(names, found.path, threads)
