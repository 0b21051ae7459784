"""The call that a script serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Unpack, overload

from gudok import _ask
from gudok._answers import Answer, Given, NoInput, NoMatch
from gudok._ask import Item, Patience
from gudok._errors import host_call
from gudok._fields import Fields, fields_of
from gudok._language import choose, primary
from gudok._prompt import Sayable, as_prompt, prompt_or_none
from wit_world.imports import input as wit
from wit_world.imports import telephony
from wit_world.imports.telephony import AnsweredBy, CallInfo, Pace, PlaybackEnd, RejectCause
from wit_world.imports.types import Date, EndReason, Money

T = TypeVar("T")
V = TypeVar("V")

#: How often a form is filled in anew.
FORM_ROUNDS_MAX = 3


class Player:
    """Playback in the background."""

    def __init__(self, raw: telephony.Player) -> None:
        self.raw = raw

    def wait(self) -> PlaybackEnd:
        """Waits for its end."""
        return host_call(self.raw.wait)()

    def pause(self) -> None:
        """Holds it."""
        host_call(self.raw.pause)()

    def resume(self) -> None:
        """Goes on with it."""
        host_call(self.raw.resume)()

    def seek(self, at_ms: int) -> None:
        """Goes to another place of it."""
        host_call(self.raw.seek)(at_ms)

    def stop(self) -> PlaybackEnd:
        """Ends it."""
        with self.raw:
            return host_call(self.raw.stop)()


class Call:
    """The call that a script serves.

    It ends with the script: who returns without handing the caller over hangs up; who returns before ever answering, or with
    ``no_service()``, leaves the caller to the agency's fallback.
    """

    def __init__(self, raw: telephony.Call) -> None:
        #: the call as the interface has it: for what has no comfortable form here
        self.raw = raw
        #: who calls whom, and which entry of the agency it led to
        self.info: CallInfo = raw.info()
        #: the language the caller is spoken to in, as a tag: "ru-RU"
        self.language: str = self.info.lang

    @property
    def ended(self) -> EndReason | None:
        """Why the call ended; None while it lives."""
        return self.raw.ended()

    @property
    def is_on_machine(self) -> bool:
        """The call was taken by an answering machine, and it records now: say what anybody may hear, and return."""
        return self.info.answered_by == AnsweredBy.MACHINE

    def speaks(self, language: str) -> bool:
        """Whether the caller is spoken to in this language, whatever the country: "en"."""
        return primary(self.language) == primary(language)

    def set_language(self, tag: str) -> None:
        """Speaks another language from here on; the host's own prompts too."""
        host_call(self.raw.set_language)(tag)
        self.language = tag

    def speak_one_of(self, *tags: str) -> None:
        """Speaks the first of these languages, unless the caller is spoken to in one of them already."""
        if tags and not any(self.speaks(tag) for tag in tags):
            self.set_language(tags[0])

    def words(self, texts: Mapping[str, T]) -> T:
        """What fits the call's language best; the first where there are no words in it."""
        return choose(self.language, texts)

    def set_pace(self, pace: Pace) -> None:
        """Speaks slower from here on, waits longer and says everything twice; or as usual again."""
        host_call(self.raw.set_pace)(pace)

    def answer(self) -> None:
        """Answers. Not needed before ``say``, which does it."""
        host_call(self.raw.answer)()

    def early_media(self) -> None:
        """Lets prompts be heard before the call is answered and charged."""
        host_call(self.raw.early_media)()

    def reject(self, cause: RejectCause) -> None:
        """Refuses the call."""
        host_call(self.raw.reject)(cause)

    def say(self, *what: Sayable) -> PlaybackEnd:
        """Says something and waits for its end, or for the key that interrupts it: that key stays for the next question."""
        return host_call(self.raw.say)(as_prompt(what[0] if len(what) == 1 else what).to_wit())

    def play_in_background(self, what: Sayable, *, loop: bool = False) -> Player:
        """Plays while the script goes on."""
        return Player(host_call(self.raw.play_background)(as_prompt(what).to_wit(), loop))

    def hangup(self, *goodbye: Sayable) -> None:
        """Says goodbye to its end and hangs up; without words, at once."""
        host_call(self.raw.hangup)(prompt_or_none(goodbye[0] if len(goodbye) == 1 else goodbye))

    def wait(self, length_ms: int) -> None:
        """Silence for a while."""
        host_call(self.raw.wait)(length_ms)

    def send_dtmf(self, keys: str) -> None:
        """Sends keys to the caller's side: for talking to another machine."""
        host_call(self.raw.send_dtmf)(keys)

    def tag(self, **fields: object) -> None:
        """Keeps values with the call record; they survive a transfer. Nothing personal belongs here."""
        host_call(self.raw.tag)(fields_of(fields))

    def promise_key(self, purpose: str) -> str:
        """A key under which this call promises something once."""
        return f"{self.info.id}-{purpose}"

    @overload
    def menu(self, question: Sayable, choices: Mapping[str, Item[V]], **how: Unpack[Patience]) -> Answer[V]: ...

    @overload
    def menu(self, question: Sayable, choices: Mapping[str, V | Item[V]], **how: Unpack[Patience]) -> Answer[V]: ...

    def menu(self, question: Sayable, choices: Mapping[str, Any], **how: Unpack[Patience]) -> Answer[Any]:
        """A menu: keys, and what they stand for."""
        return _ask.menu(self.raw, question, choices, how)

    def ask_digits(self, question: Sayable, min_length: int, max_length: int | None = None, **how: Unpack[Patience]) -> Answer[str]:
        """A row of digits. Where its length may vary, "#" ends it."""
        longest = min_length if max_length is None else max_length
        rule = wit.DigitRule(min_length, longest, "" if longest == min_length else "#")
        return _ask.put(self.raw, question, wit.Grammar_Digits(rule), _ask.text, how)

    def ask_yes_no(self, question: Sayable, **how: Unpack[Patience]) -> Answer[bool]:
        """Yes is 1, no is 2: the question has to say so."""
        return _ask.put(self.raw, question, wit.Grammar_YesNo(), _ask.flag, how)

    def ask_date(self, question: Sayable, **how: Unpack[Patience]) -> Answer[Date]:
        """Eight digits, day first."""

        def read(value: wit.Value) -> Date | None:
            return value.value if isinstance(value, wit.Value_Date) else None

        return _ask.put(self.raw, question, wit.Grammar_Date(), read, how)

    def ask_money(self, question: Sayable, **how: Unpack[Patience]) -> Answer[Money]:
        """Rubles, then "*" and kopecks; "#" ends it."""

        def read(value: wit.Value) -> Money | None:
            return value.value if isinstance(value, wit.Value_Money) else None

        return _ask.put(self.raw, question, wit.Grammar_Money(), read, how)

    def ask_phone(self, question: Sayable, **how: Unpack[Patience]) -> Answer[str]:
        """A telephone number, answered as "+7…"; "#" ends it."""
        return _ask.put(self.raw, question, wit.Grammar_Phone(), _ask.text, how)

    def ask_snils(self, question: Sayable, **how: Unpack[Patience]) -> Answer[str]:
        """An insurance number; the host verifies its check sum."""
        return _ask.put(self.raw, question, wit.Grammar_Snils(), _ask.text, how)

    def ask_inn(self, question: Sayable, **how: Unpack[Patience]) -> Answer[str]:
        """A tax number; the host verifies its check sum."""
        return _ask.put(self.raw, question, wit.Grammar_Inn(), _ask.text, how)

    def ask_oms_policy(self, question: Sayable, **how: Unpack[Patience]) -> Answer[str]:
        """A health insurance number; the host verifies its check digit."""
        return _ask.put(self.raw, question, wit.Grammar_OmsPolicy(), _ask.text, how)

    def ask_postal_code(self, question: Sayable, **how: Unpack[Patience]) -> Answer[str]:
        """Six digits."""
        return _ask.put(self.raw, question, wit.Grammar_PostalCode(), _ask.text, how)

    def form(
        self,
        fields: Mapping[str, Callable[[Call, dict[str, Any]], Answer[Any]]],
        *,
        read_back: Callable[[dict[str, Any]], Sayable] | None = None,
    ) -> Answer[dict[str, Any]]:
        """A form: questions by name, asked one after another.

        The answers by their names, or the first that is none. With ``read_back`` all of it is read back and confirmed with yes
        (1) or no (2); on "no" everything is asked anew, at most three times.
        """
        for _ in range(FORM_ROUNDS_MAX):
            answer = self._fill(fields)
            if read_back is None or not isinstance(answer, Given):
                return answer
            confirmed = self.ask_yes_no(read_back(answer.value), attempts=_ask.CONFIRM_ATTEMPTS)
            if confirmed == Given(True):
                return answer
            if isinstance(confirmed, NoInput):
                return confirmed
        return NoMatch()

    def _fill(self, fields: Mapping[str, Callable[[Call, dict[str, Any]], Answer[Any]]]) -> Answer[dict[str, Any]]:
        values: dict[str, Any] = {}
        for name, put in fields.items():
            answer = put(self, values)
            if not isinstance(answer, Given):
                return answer
            values[name] = answer.value
        return Given(values)

    def next_key(self, timeout_ms: int) -> str | None:
        """The next key; None when the time is up. For dialogs that no question describes."""
        with self.raw.digits() as collector:
            return host_call(collector.next)(timeout_ms)
