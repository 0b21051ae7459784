"""Questions: menus, rows of digits, dates, yes or no. The host repeats them and checks their sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypedDict, TypeVar

from gudok import host
from gudok._answers import Answer, Given, Global, NoInput, NoMatch
from gudok._errors import host_call
from gudok._prompt import Sayable, as_prompt, key, prompt_or_none
from wit_world.imports import input as wit
from wit_world.imports import telephony

V = TypeVar("V")

#: How often a question is asked where the script does not say.
ATTEMPTS_DEFAULT = 3
#: From the end of the prompt to the first key.
FIRST_TIMEOUT_DEFAULT_MS = 6_000
#: From key to key: long, because older callers look for the keys.
DIGIT_GAP_DEFAULT_MS = 4_000
#: How often is asked whether what was read back is right.
CONFIRM_ATTEMPTS = 2


class Patience(TypedDict, total=False):
    """How patiently is asked."""

    #: Names the step in which this is asked: for traces, coverage and the picture of the script.
    step: str
    #: Keys that leave the question at once, wherever the caller is in it, and what they stand for.
    global_keys: Mapping[str, Any]
    #: How often is asked in all, 1 to 10.
    attempts: int
    #: Said before the question is repeated, where nothing was entered.
    no_input: Sayable
    #: Said before the question is repeated, where the entry did not fit.
    no_match: Sayable
    #: From the end of the question to the first key.
    first_timeout_ms: int
    #: From key to key.
    digit_gap_ms: int
    #: Masks the keys in logs, traces, journals and recordings.
    sensitive: bool
    #: Reads the answer back and has it confirmed with yes (1) or no (2); on "no" the question comes again.
    read_back: Callable[[Any], Sayable]


@dataclass(frozen=True)
class Item(Generic[V]):
    """A choice of a menu with the words that announce it; see ``item``."""

    words: Sayable
    value: V


def item(words: Sayable, value: V) -> Item[V]:
    """What a key stands for, and the words that announce it: ``{"2": item("Часы работы", "hours")}``."""
    return Item(words, value)


def menu(call: telephony.Call, question: Sayable, choices: Mapping[str, V | Item[V]], how: Patience) -> Answer[V]:
    """Keys, and what they stand for."""
    asked = as_prompt(question)
    for keys, of in [*choices.items(), *how.get("global_keys", {}).items()]:
        if isinstance(of, Item):
            asked = asked.plus(of.words, ":", key(keys), ".")
    values = [_plain(of) for of in choices.values()]
    grammar = wit.Grammar_Choices([_choice(keys, place) for place, keys in enumerate(choices)])

    def read(value: wit.Value) -> V | None:
        return _at(values, value.value) if isinstance(value, wit.Value_Text) else None

    return put(call, asked, grammar, read, how)


def put(
    call: telephony.Call, question: Sayable, grammar: wit.Grammar, read: Callable[[wit.Value], V | None], how: Patience
) -> Answer[V]:
    """Asks, with repeats, until there is an answer or none is to be had."""
    options = _options(question, grammar, how)
    read_back = how.get("read_back")
    if (step := how.get("step")) is not None:
        host.step(step)
    for _ in range(options.retry.attempts):
        answer = _answer(host_call(call.collect)(options), read, how)
        if read_back is None or not isinstance(answer, Given):
            return answer
        confirmation: Patience = {"attempts": CONFIRM_ATTEMPTS, "sensitive": options.sensitive}
        if put(call, read_back(answer.value), wit.Grammar_YesNo(), flag, confirmation) == Given(True):
            return answer
    return NoMatch()


def text(value: wit.Value) -> str | None:
    """A value that is text, or a telephone number."""
    return value.value if isinstance(value, (wit.Value_Text, wit.Value_Phone)) else None


def flag(value: wit.Value) -> bool | None:
    """A value that is yes or no."""
    return value.value if isinstance(value, wit.Value_Flag) else None


def _options(question: Sayable, grammar: wit.Grammar, how: Patience) -> wit.CollectOptions:
    return wit.CollectOptions(
        grammar=grammar,
        modes=wit.Modes.DTMF,
        prompt=prompt_or_none(question),
        first_timeout=how.get("first_timeout_ms", FIRST_TIMEOUT_DEFAULT_MS),
        inter_digit=how.get("digit_gap_ms", DIGIT_GAP_DEFAULT_MS),
        retry=wit.Retry(
            how.get("attempts", ATTEMPTS_DEFAULT),
            prompt_or_none(how.get("no_input")),
            prompt_or_none(how.get("no_match")),
        ),
        sensitive=how.get("sensitive", False),
        global_keys=[_choice(keys, place) for place, keys in enumerate(how.get("global_keys", {}))],
    )


def _choice(keys: str, place: int) -> wit.Choice:
    """Its value is its place in the list: the script's own values may be anything."""
    return wit.Choice(keys, str(place), [])


def _answer(outcome: wit.Outcome, read: Callable[[wit.Value], V | None], how: Patience) -> Answer[V]:
    """The host answers with the values it was given; one that it was not given counts as no match."""
    if isinstance(outcome, wit.Outcome_Ok):
        value = read(outcome.value.value)
        return NoMatch() if value is None else Given(value)
    if isinstance(outcome, wit.Outcome_Global):
        of = _at(list(how.get("global_keys", {}).values()), outcome.value)
        return NoMatch() if of is None else Global(_plain(of))
    return NoInput() if isinstance(outcome, wit.Outcome_NoInput) else NoMatch()


def _at(values: list[V], place: str) -> V | None:
    return values[int(place)] if place.isdecimal() and int(place) < len(values) else None


def _plain(of: V | Item[V]) -> V:
    return of.value if isinstance(of, Item) else of
