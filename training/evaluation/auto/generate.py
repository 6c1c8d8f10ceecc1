"""Every condition answers every item; what the cache has is not asked again. Knows no measure and no table."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tide_chat.errors import TideError
from tide_chat.progress import Say, quiet
from training.evaluation.auto import describe, keys, shards
from training.evaluation.auto.cache import Store, Written
from training.evaluation.auto.conditions import Condition
from training.evaluation.auto.items import Item
from training.evaluation.auto.keys import APP, MODEL
from training.evaluation.auto.shards import Shard
from training.evaluation.auto.writers import Ask, Writer
from training.evaluation.replies import Reply


@dataclass(frozen=True, slots=True)
class Plan:
    """through: the bare model, or the whole app. threads: None is what the engine takes. batch: for transformers."""

    conditions: tuple[Condition, ...]
    items: tuple[Item, ...]
    seed: int
    cache: Path
    shard: Shard = field(default_factory=Shard)
    through: str = MODEL
    threads: int | None = None
    batch: int | None = None

    @property
    def total(self) -> int:
        return len(self.conditions) * len(self.items)


@dataclass(frozen=True, slots=True)
class Generated:
    """replies: of all conditions in their order, each in the order of the items. written: beside each of them.

    made: how many of them this process has generated now. machines: what ran each condition, where it ran here.
    """

    replies: list[Reply]
    written: list[Written]
    made: int
    machines: dict[str, dict[str, object]]


def generate(plan: Plan, say: Say = quiet) -> Generated | None:
    """This process's part; the leader then waits for the others'. None when parts are lacking that run elsewhere.

    Raises ModelError, EngineError, TideError, UsageError, DataError.
    """
    store = Store(plan.cache)
    names: dict[tuple[str, str, str], str] = {}
    machines: dict[str, dict[str, object]] = {}
    made = 0
    try:
        with store.writing(f"replies-{plan.shard.name}"):
            for number, condition in enumerate(plan.conditions):
                with _writer(plan, condition, store) as writer:
                    asks = writer.asks(plan.items, plan.seed)
                    known = {ask.item.id: keys.of(condition, ask, _through(plan)) for ask in asks}
                    names |= {(condition.name, condition.state, item): found for item, found in known.items()}
                    told = partial(_tell, say, str(condition), number * len(asks), plan.total)
                    made += _fill(writer, plan.shard.of(asks), known, store, told)
                    machines[str(condition)] = writer.about()
    except OSError as error:
        raise TideError("The replies cannot be kept.", details=f"{plan.cache}: {error.strerror or error}") from error
    if not _complete(store, list(names.values()), plan.shard, say):
        return None
    return _collected(plan, names, store, made, machines)


def _tell(say: Say, what: str, before: int, total: int, done: int) -> None:
    say(what, before + done, total)


def _fill(writer: Writer, asks: Sequence[Ask], names: dict[str, str], store: Store, told: "partial[None]") -> int:
    """Generate what is lacking; how many that were."""
    lacking = [ask for ask in asks if names[ask.item.id] not in store]
    told(len(asks) - len(lacking))
    for number, (ask, written) in enumerate(writer.write(lacking) if lacking else (), 1):
        store.put(names[ask.item.id], written)
        told(len(asks) - len(lacking) + number)
    return len(lacking)


def _writer(plan: Plan, condition: Condition, store: Store) -> Writer:
    if condition.kind == "transformers":
        from training.evaluation.auto.batches import BatchWriter

        return BatchWriter(condition, plan.shard.local, plan.batch)
    words = plan.cache / f"words-{describe.fingerprint(condition.model)[:16]}.json"
    if plan.through == APP:
        from training.evaluation.auto.through_app import AppWriter

        return AppWriter(condition, words, store, plan.threads)
    from training.evaluation.auto.llama import LlamaWriter

    return LlamaWriter(condition, words, plan.threads)


def _through(plan: Plan) -> str:
    if plan.through != APP:
        return plan.through
    from training.evaluation.auto.through_app import pipeline

    return f"{APP} {pipeline()}"


def _complete(store: Store, names: Sequence[str], shard: Shard, say: Say) -> bool:
    def lacking() -> int:
        store.refresh()
        return sum(one not in store for one in names)

    if not (left := lacking()):
        return True
    if shard.world > 1 and shard.meets and shard.leads:
        shards.wait(lacking, lambda now: say("waiting for the others", left - now, left))
        return True
    return False


def _collected(
    plan: Plan, names: dict[tuple[str, str, str], str], store: Store, made: int, machines: dict[str, dict[str, object]]
) -> Generated:
    replies, found = [], []
    for condition in plan.conditions:
        for item in plan.items:
            written = store.get(names[condition.name, condition.state, item.id])
            assert written
            found.append(written)
            replies.append(_reply(condition, item, written))
    return Generated(replies, found, made, machines)


def _reply(condition: Condition, item: Item, written: Written) -> Reply:
    return replace(
        item.reply(condition.name, condition.state, written.text),
        finish=written.finish,
        prompt_tokens=written.prompt_tokens,
        tokens=written.tokens,
        first_token_s=written.first_token_s,
        seconds=written.seconds,
    )
