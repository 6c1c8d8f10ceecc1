"""A turn: what the user wrote goes in, events come out. The one pipeline behind app, plain mode, JSON and evaluation.

    text -> assess -> authored reply and card (no model)
                   -> prompt -> engine -> reasoning taken out -> guard -> text

Knows no screen and no native library. Iterators block; read them in a worker thread.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tide_chat import fit, scenario
from tide_chat.engine.base import Cancel, Chunk, Engine, EngineInfo, FinishReason, Prompt, SamplingParams, Usage
from tide_chat.errors import EngineDied, ModelError, PromptTooLong, TideError
from tide_chat.events import CardShown, Done, Event, Notice, Progress, Stage, TextDelta, TurnResult
from tide_chat.messages import Conversation, Role
from tide_chat.profile import Profile
from tide_chat.prompt import Renderer, system_text
from tide_chat.reasoning import ReasoningFilter
from tide_chat.safety import authored, cards, disclosure, join, router
from tide_chat.safety.assessment import Assessment, Flag, Tier
from tide_chat.safety.cards import Card
from tide_chat.safety.checked import FAILED, Assess, Earlier, check
from tide_chat.safety.guard import Doubt, Gate, Held
from tide_chat.safety.questions import Topic
from tide_chat.safety.state import RiskState, mentions_lines, speaks_of_it_no_more
from tide_chat.terminal import Neutraliser, neutral
from tide_chat.wording import say

SMALL = 500_000_000  # parameters; a model below never sees a message in which somebody speaks of not wanting to live
LOOKED_AT_AGAIN = 20  # messages of an earlier conversation that goes on
WHOLE = (FinishReason.STOP, FinishReason.LENGTH)  # the reply came to an end of its own
THINKING_TOKENS = 1024  # a reasoning model may spend as many before its reply begins

DIED = "The model stopped working in the middle of this. What you wrote is still here."
EMPTY = "The model had no words for this. You could ask it again, or say it another way."
CHECK_FAILED = "The safety check could not run on this message, so the help card is shown to be careful."

LINES_EXIST = (
    "If talking with a person would help as well: /help-lines shows who is there, and not only for emergencies."
)
REDUCED = (
    "One part of the safety check is not working right now, so it may notice less than usual. "
    "The help screen always has people to reach."
)

NOT_KEPT = "This could not be kept in your history. What you wrote is still here."
STILL_KEPT = "Your history could not be changed: the message may still be in it."


class Keeper(Protocol):
    """Where a conversation is kept, when the user chose that. Methods block; they raise TideError."""

    def save(self, conversation: Conversation) -> None: ...

    def leave(self) -> None: ...


@dataclass(slots=True)
class _Reply:
    """What a model turn has come to so far."""

    gate: Gate
    usage: Usage
    reason: FinishReason = FinishReason.STOP
    first: str = ""  # authored words that came before the model's
    last: str = ""  # and that come after them

    def note(self, chunk: Chunk) -> None:
        self.usage = chunk.usage or self.usage
        self.reason = self.gate.closed or chunk.finish_reason or self.reason


class Companion:
    """One conversation. `country` (ISO alpha-2, None for unknown) picks the help lines.

    `profile` may be changed at any time. guided: whether a situation that the encoder is sure of goes into the prompt;
    never into that of a very small model, which follows no guidance and takes up its words (docs/fit.md). doubt, topic:
    what the guard's encoder makes of a reply and of a message.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        system: str | None = None,
        sampling: SamplingParams | None = None,
        country: str | None = None,
        profile: Profile | None = None,
        guided: bool = True,
        assess: Assess = router.assess,
        doubt: Doubt | None = None,
        topic: Topic | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._system = system if system is not None else system_text()
        self._assess = assess
        self._doubt = doubt
        self._topic = topic
        self.sampling = sampling or SamplingParams()
        self.country = country
        self.profile = profile or Profile()
        self.guided = guided
        self.carried: Callable[[], str] = str  # what the person let be known from earlier conversations, in a line
        self.on_scenario: Callable[[str], None] = lambda _: None  # before a model is asked: another may suit it better
        self.plan: Callable[[], str] = str  # the person's safety plan in short, for the cards of a tier
        self.keeper: Keeper | None = None  # the encrypted history
        self.conversation = Conversation()
        self.pinned_cards: tuple[Card, ...] = ()
        self._away: frozenset[str] = frozenset()  # ids of the cards that the person put away since they were shown
        self.held_back: tuple[Held, ...] = ()  # of the newest reply, for the inspector; in memory only
        self.newest: Assessment | None = None  # of the newest message, for `/why`
        self.last_prompt = ""  # as it was last sent to a model, for the inspector; in memory only
        self._risk = RiskState()
        self._earlier: Earlier | None = None  # what was said in a conversation that goes on, until something is judged
        self._reminders = disclosure.Reminders(clock)
        self._minor = False  # somebody seems to be under 18
        self._told: frozenset[str] = frozenset()  # what is said once in a conversation
        self._alone = 0  # replies to T2 without the model
        self._anew = True  # no model was asked in this conversation yet
        self._attempt = 0  # answering again with a fixed seed must not give the same words

    # -- what a front end calls --------------------------------------------------------------------------------------

    def reply(self, text: str, cancel: Cancel | None = None) -> Iterator[Event]:
        """Answer `text`. Always ends with Done; `Done.result.error` says what went wrong, nothing is raised."""
        self._attempt = 0
        text = neutral(text).strip()
        assessment, notice = self._judge(text)
        self._risk = self._risk.after(assessment, text)
        yield from notice
        if mentions_lines(assessment):
            yield Notice(say(LINES_EXIST))
        yield from self._answer(text, assessment, cancel or Cancel())

    def again(self, cancel: Cancel | None = None) -> Iterator[Event]:
        """Answer the newest message again, in other words."""
        self._attempt += 1
        text = self.take_back()
        if not text:
            yield Done(TurnResult("", Assessment()))
            return
        assessment, notice = self._judge(text)
        yield from notice
        yield from self._answer(text, assessment, cancel or Cancel())

    def take_back(self) -> str:
        """Remove the newest user message and what followed; returns its text. What it said about risk stays known."""
        index = self.conversation.last_user()
        if index is None:
            return ""
        text = self.conversation.messages[index].text
        self.conversation = self.conversation.before_last_user()
        return text

    def take_out(self) -> tuple[str, str]:
        """`take_back` where no answer follows, so that the history changes too. Returns text and problem."""
        return self.take_back(), self._kept(say(STILL_KEPT))

    def clear(self) -> None:
        """Begin anew. Cards stay until they are put away."""
        self._begin(Conversation())
        if self.keeper:
            self.keeper.leave()

    def go_on_with(self, conversation: Conversation) -> None:
        """Continue an earlier conversation. What was said there about risk is looked at again before any answer."""
        self._begin(conversation)
        said = [message.text for message in conversation.messages if message.role is Role.USER]
        self._earlier = Earlier(self._assess, said[-LOOKED_AT_AGAIN:])

    def look_back(self) -> None:
        """Look at it now, so that no message waits for that. Blocks; for a thread beside."""
        if (earlier := self._earlier) and earlier.risk().minor:
            self._minor = True

    def _begin(self, conversation: Conversation) -> None:
        self.conversation = conversation
        if self._earlier:
            self._earlier.stop()
        self._earlier = None
        self.held_back = ()
        self.newest = None
        self.last_prompt = ""
        self._anew = True
        self._risk = RiskState()
        self._told = frozenset()
        self._away = frozenset()
        self._alone = 0

    def put_away(self, card_id: str) -> None:
        """The person wants to see a card no longer. It comes back with the next message that asks for it."""
        self._away |= {card_id}
        self._unpin(card_id)

    def _unpin(self, card_id: str) -> None:
        self.pinned_cards = tuple(card for card in self.pinned_cards if card.id != card_id)

    def prefix(self, info: EngineInfo) -> Prompt:
        """The system prefix for a model, to be prepared before it is needed."""
        system, private = fit.told_first(self._system, self.profile, self.carried)
        return Renderer.of(info).prefix(system, private=private)

    def reminder(self) -> str | None:
        """What has to be said again during long use, once it is due. A front end asks between turns."""
        return self._reminders.due(minor=self._minor)

    # -- safety first ------------------------------------------------------------------------------------------------

    def _judge(self, text: str) -> tuple[Assessment, tuple[Notice, ...]]:
        """The router's view, and what has to be said of the check itself."""
        if self._earlier:
            self._risk, self._earlier = self._earlier.risk(), None
        assessment = self.newest = check(self._assess, text, self._risk)
        self._minor = self._minor or self._risk.minor or Flag.MINOR in assessment.flags
        if FAILED in [reason.rule for reason in assessment.reasons]:
            return assessment, (Notice(say(CHECK_FAILED)),)
        if join.is_reduced(assessment) and self._once("reduced"):
            return assessment, (Notice(say(REDUCED)),)
        return assessment, ()

    def _once(self, what: str) -> bool:
        """Whether this is the first time in this conversation."""
        first = what not in self._told
        self._told |= {what}
        return first

    def _answer(self, text: str, assessment: Assessment, cancel: Cancel) -> Iterator[Event]:
        self.conversation = self.conversation.user(text)
        self.held_back = ()
        chosen = self._with_plan(cards.cards_for(assessment, self.country))
        only_held = assessment.tier <= Tier.T2 and speaks_of_it_no_more(assessment)
        shown = tuple(card for card in chosen if self._is_due(card, only_held))
        for card in shown:
            again = only_held and any(pinned.id == card.id for pinned in self.pinned_cards)
            self._away -= {card.id}
            self._unpin(card.id)
            self.pinned_cards += (card,)
            yield CardShown(card, again)
        yield from self._keep()  # after the cards, which wait for nothing, and before any reply
        found = scenario.find(assessment.scenarios)
        result = TurnResult("", assessment, tuple(card.id for card in shown), scenario=found.name if found else "")
        first, goes_on = authored.words(assessment, text, self._topic)
        if goes_on:
            yield from self._from_model(result, cancel, first)
        else:
            yield from self._authored(result, first)

    def _is_due(self, card: Card, only_held: bool) -> bool:
        """Every card is, but for that of a language a second time and one that was put away while T2 is only held."""
        if card.id == cards.LANGUAGE:
            return self._once(card.id)
        return not (only_held and card.id in self._away)

    def _words_alone(self) -> str:
        """Authored words, others each time."""
        words = cards.replies_alone()
        self._alone += 1
        return words[(self._alone - 1) % len(words)]

    def _authored(self, result: TurnResult, text: str, first: str = "") -> Iterator[Event]:
        """`first` was shown already and belongs to the reply."""
        reply = f"{first}\n\n{text}" if first else text
        self.conversation = self.conversation.assistant(reply, authored=True)
        yield TextDelta(text)
        yield from self._keep()
        yield Done(replace(result, reply=reply, route="authored"))

    def _keep(self) -> Iterator[Event]:
        """Into the history, when there is one. A failure is said and costs nothing else."""
        if problem := self._kept(say(NOT_KEPT)):
            yield Notice(problem)

    def _kept(self, otherwise: str) -> str:
        """What went wrong, if anything, and begins with `otherwise`."""
        try:
            if self.keeper:
                self.keeper.save(self.conversation)
        except TideError as error:
            return f"{otherwise} {error.short}"
        return ""

    # -- the model ---------------------------------------------------------------------------------------------------

    def _from_model(self, result: TurnResult, cancel: Cancel, first: str) -> Iterator[Event]:
        gate = fit.gate(result.assessment, self.conversation, self.profile, self._system, self._doubt)
        reply = _Reply(gate, Usage(), first=first)
        error: TideError | None = None
        try:
            yield Progress(Stage.WAITING)
            if first:
                yield TextDelta(f"{first}\n\n")
            self.on_scenario(result.scenario)
            info = self._engine.info(cancel)
            small = 0 < info.parameters < SMALL
            if small and authored.instead_of_small(result.assessment, self.conversation):
                yield from self._authored(result, self._words_alone(), first)
                return
            if small and not first and result.assessment.tier < Tier.T2:
                reply.first, reply.last = fit.added(self.profile, result.scenario, self.conversation)
                yield from [TextDelta(f"{reply.first}\n\n")] if reply.first else []
            guidance = "" if small else fit.told_beside(result.assessment, self.conversation, guided=self.guided)
            result = replace(result, model=info.name, adapter=info.adapter, guidance=guidance)
            renderer = Renderer.of(info)
            heard = self.conversation.without_authored() if small else self.conversation
            prompt = self._prompt(renderer, heard, guidance)
            yield from self._stream(prompt, renderer.thinks(prompt), reply, cancel)
        except EngineDied as death:
            reply.reason, error = FinishReason.DIED, death
        except TideError as failure:
            reply.reason, error = FinishReason.CANCELLED if cancel.is_set() else FinishReason.ERROR, failure
        yield from self._finish(result, reply, error if not cancel.is_set() else None)

    def _prompt(self, renderer: Renderer, conversation: Conversation, guidance: str) -> Prompt:
        system, private = fit.told_first(self._system, self.profile, self.carried)
        prompt = renderer.render(system, conversation, note=guidance, private=private)
        prompt, self._anew = replace(prompt, anew=self._anew), False
        self.last_prompt = prompt.text
        return prompt

    def _stream(self, prompt: Prompt, thinking: bool, reply: _Reply, cancel: Cancel) -> Iterator[Event]:
        reasoning, neutraliser, stage = ReasoningFilter(inside=thinking), Neutraliser(), Stage.WAITING
        stop = Cancel()  # the user's wish or the gate's
        forget = cancel.listen(stop.set)
        try:
            for chunk in self._engine.generate(prompt, self._params(thinking), stop):
                reply.note(chunk)
                if (now := _stage(chunk, stage, thinking=reasoning.inside)) is not stage:
                    stage = now
                    yield Progress(stage)
                if text := reply.gate.feed(neutraliser.feed(reasoning.feed(chunk.text))):
                    yield TextDelta(text)
                if reply.gate.closed:
                    stop.set()
        finally:
            forget()
        if text := reply.gate.feed(neutraliser.feed(reasoning.flush()) + neutraliser.flush()):
            yield TextDelta(text)
        if thinking:
            count = self._engine.count_tokens(reply.gate.shown) if reply.gate.shown else 0
            reply.usage = replace(reply.usage, completion_tokens=count)

    def _params(self, thinking: bool) -> SamplingParams:
        params = self.sampling
        if params.seed is not None:
            params = replace(params, seed=params.seed + self._attempt)
        return replace(params, max_tokens=params.max_tokens + THINKING_TOKENS) if thinking else params

    def _finish(self, result: TurnResult, reply: _Reply, error: TideError | None) -> Iterator[Event]:
        if rest := reply.gate.flush(reply.reason):
            yield TextDelta(rest)
        reply.reason = reply.gate.closed or reply.reason
        if reply.last and reply.gate.shown.strip() and reply.reason in WHOLE and not reply.gate.needs_help:
            yield TextDelta(f"\n\n{reply.last}")
        else:
            reply.last = ""
        text = "\n\n".join(part for part in (reply.first, reply.gate.shown.strip(), reply.last) if part)
        if text:
            self.conversation = self.conversation.assistant(text)
        self.held_back = tuple(reply.gate.held)
        if reply.gate.needs_help and (card := self._help_card()):
            result = replace(result, cards=(*result.cards, card.id))
            yield CardShown(card)
        if isinstance(error, PromptTooLong):
            self.take_back()
        if reply.gate.reduced and self._once("reduced"):
            yield Notice(say(REDUCED))
        yield from _notices(reply, text, error)
        yield from self._keep()
        usage, reason = reply.usage, reply.reason
        actions, beside = tuple(reply.gate.actions), tuple(filter(None, (reply.first, reply.last)))
        made = replace(result, reply=text, usage=usage, finish_reason=reason, guard=actions, error=error, beside=beside)
        yield Done(made)

    def _with_plan(self, found: Sequence[Card]) -> tuple[Card, ...]:
        """The cards with the person's own plan. It is read only for a card, and no failure may cost the card."""
        try:
            return cards.with_plan(found, neutral(self.plan()) if found else "")
        except Exception:  # noqa: BLE001 - a locked or damaged history, and whatever else
            return tuple(found)

    def _help_card(self) -> Card | None:
        """The card of T2, where a reply was ended because of what it said; None when it is already pinned."""
        card = self._with_plan(cards.cards_for(Assessment(Tier.T2), self.country))[0]
        if any(pinned.id == card.id for pinned in self.pinned_cards):
            return None
        self.pinned_cards += (card,)
        return card


def _stage(chunk: Chunk, before: Stage, *, thinking: bool) -> Stage:
    if chunk.tokens:
        return Stage.THINKING if thinking else Stage.WRITING
    return Stage.READING if chunk.usage and before is Stage.WAITING else before


def _notices(reply: _Reply, text: str, error: TideError | None) -> Iterator[Notice]:
    if isinstance(error, EngineDied):
        yield Notice(say(DIED), can_answer_again=True)
    elif isinstance(error, ModelError):
        yield Notice(error.short)
    elif error:
        yield Notice(error.line)
    elif not text and reply.reason is not FinishReason.CANCELLED:
        yield Notice(say(EMPTY), can_answer_again=True)
