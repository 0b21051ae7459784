"""The SDK against a host that answers from a list."""

from __future__ import annotations

import json
import time
import unittest
from typing import Any
from unittest.mock import patch

from fake_host import FakeCall, FakeHost, fails

import gudok
from gudok import Call, CallError, Case, Date, Failure, Gender, Given, Global, NoInput, NoMatch, _entry
from gudok import counted, given, item, key, noun, prompt, registration_number
from gudok.testing import conversation, to_json
from wit_world.exports import campaign as wit_campaign
from wit_world.imports import input as wit
from wit_world.imports import prompts, queues, storage, types
from wit_world.imports import transfer as wit_transfer
from wit_world.imports.prompts import Segment_Counted, Segment_Digits, Segment_Number, Segment_Spell, Segment_Text

REQUEST = noun("заявка", "заявки", "заявок", "заявки", Gender.FEMININE)


def collected(value: Any) -> wit.Outcome:
    return wit.Outcome_Ok(wit.Collected(value, "", wit.Mode.BY_KEYS, 100, 1))


def text(value: str) -> wit.Outcome:
    return collected(wit.Value_Text(value))


class Prompts(unittest.TestCase):
    def test_pieces_stay_pieces(self) -> None:
        said = prompt("Перед вами", counted(21, REQUEST), None, [5, "раз"])
        kinds = [type(segment) for segment in said.segments]
        self.assertEqual(kinds, [Segment_Text, Segment_Counted, Segment_Number, Segment_Text])
        spec = said.segments[1].value
        self.assertEqual((spec.value, spec.noun.many, spec.gram_case), (21, "заявок", Case.NOMINATIVE))

    def test_what_is_private_stays_private(self) -> None:
        self.assertFalse(prompt("Вас зовут", prompt("Анна").private()).to_wit().cacheable)
        self.assertEqual(prompt("x").uninterrupted().to_wit().barge_in, prompts.BargeIn(0))

    def test_a_fraction_in_a_prompt_is_a_mistake(self) -> None:
        for wrong in (1.5, True, object()):
            with self.assertRaises(TypeError):
                prompt(wrong)  # type: ignore[arg-type]

    def test_a_registration_number_is_read_digit_by_digit(self) -> None:
        said = registration_number("К-2026-000123")
        self.assertEqual([type(segment) for segment in said.segments], [Segment_Spell, Segment_Digits, Segment_Digits])
        self.assertFalse(said.cacheable)


class Questions(unittest.TestCase):
    def menu(self, outcome: Any) -> Any:
        call = Call(FakeCall(outcome))
        return call.menu("?", {"1": "a", "12": item("Б", "b")}, global_keys={"0": "z"})

    def test_a_menu_answers_with_its_own_values(self) -> None:
        self.assertEqual(self.menu(text("0")), Given("a"))
        self.assertEqual(self.menu(text("1")), Given("b"))
        self.assertEqual(self.menu(wit.Outcome_Global("0")), Global("z"))
        self.assertEqual(self.menu(wit.Outcome_NoInput()), NoInput())
        self.assertEqual(self.menu(wit.Outcome_NoMatch("7")), NoMatch())

    def test_a_value_nobody_offered_is_no_match(self) -> None:
        for outcome in (text("2"), text("x"), text("-1"), collected(wit.Value_Flag(True)), wit.Outcome_Global("1")):
            self.assertEqual(self.menu(outcome), NoMatch(), outcome)

    def test_an_item_says_its_key(self) -> None:
        raw = FakeCall(wit.Outcome_NoInput())
        Call(raw).menu("Что?", {"1": item("Адрес", 1), "2": 2}, global_keys={"*": item("Оператор", 0)})
        expected = prompt("Что?", "Адрес", ":", key("1"), ".", "Оператор", ":", key("*"), ".")
        self.assertEqual(raw.asked[0].prompt, expected.to_wit())

    def test_a_row_of_fixed_length_needs_no_terminator(self) -> None:
        raw = FakeCall(text("1"), text("1"))
        Call(raw).ask_digits("?", 6)
        Call(raw).ask_digits("?", 4, 6)
        self.assertEqual([asked.grammar.value.terminators for asked in raw.asked], ["", "#"])

    def test_what_was_read_back_and_refused_is_asked_again(self) -> None:
        raw = FakeCall(text("12"), collected(wit.Value_Flag(False)), text("34"), collected(wit.Value_Flag(True)))
        answer = Call(raw).ask_digits("?", 2, read_back=lambda row: prompt("Вы ввели", key(row)), sensitive=True)
        self.assertEqual(answer, Given("34"))
        self.assertTrue(all(asked.sensitive for asked in raw.asked), "so is its confirmation")

    def test_a_form_stops_at_the_first_that_is_no_answer(self) -> None:
        raw = FakeCall(text("12"), collected(wit.Value_Date(Date(2026, 5, 5))))
        fields: dict[str, Any] = {
            "number": lambda call, so_far: call.ask_digits("?", 2),
            "day": lambda call, so_far: call.ask_date("?"),
        }
        self.assertEqual(Call(raw).form(fields), Given({"number": "12", "day": Date(2026, 5, 5)}))
        self.assertEqual(Call(FakeCall(wit.Outcome_NoInput())).form(fields), NoInput())

    def test_what_is_given_or_why_not(self) -> None:
        self.assertEqual(given(Given(3)), 3)
        for answer, kind in ((Global("z"), "operator"), (NoInput(), "no-answer"), (NoMatch(), "no-answer")):
            with self.assertRaises(Failure) as raised:
                given(answer)
            self.assertEqual(raised.exception.kind, kind)


class Ends(unittest.TestCase):
    def run_service(self, script: Any, *answers: Any) -> tuple[Any, FakeHost]:
        with patch.dict(_entry.functions, {"service": script}, clear=True), FakeHost() as host, patch("sys.stdout"), patch("sys.stderr"):
            with patch.object(time, "time"), patch.object(time, "time_ns"):
                try:
                    return _entry.serve(FakeCall(*answers)), host
                except Exception as thrown:  # what the host would get
                    return thrown, host

    def test_who_returns_nothing_has_served(self) -> None:
        summary, _ = self.run_service(lambda call: None)
        self.assertEqual(type(summary.code).__name__, "ResultCode_Served")

    def test_the_end_of_a_call_goes_back_to_the_host_and_into_no_log(self) -> None:
        ended = types.CallError_Ended(types.EndReason.FAR_END_HANGUP)
        thrown, host = self.run_service(lambda call: call.ask_yes_no("?"), fails(ended))
        self.assertEqual(thrown.value, ended)
        self.assertEqual(host.lines, [])

    def test_a_mistake_is_logged_with_its_place_and_lands_the_caller(self) -> None:
        def script(call: Call) -> None:
            call.sey("x")  # type: ignore[attr-defined]

        thrown, host = self.run_service(script)
        self.assertIsInstance(thrown.value, types.CallError_Internal)
        self.assertIn("no attribute 'sey'", thrown.value.value)
        (level, message, fields), = host.lines
        self.assertEqual(level, "error")
        self.assertIn("AttributeError", message)
        self.assertIn("test_sdk.py", fields["stack"].split("\n")[0])
        self.assertNotIn("_entry", fields["stack"])

    def test_a_failure_that_nobody_looked_after_is_left_to_the_fallback(self) -> None:
        summary, _ = self.run_service(lambda call: given(call.ask_yes_no("?")), wit.Outcome_NoInput())
        self.assertEqual(type(summary.code).__name__, "ResultCode_NoService")
        self.assertEqual([(field.name, field.value) for field in summary.fields], [("why", "no-answer")])

    def test_every_error_finds_its_way_back(self) -> None:
        for error in (
            types.CallError_Denied("x"), types.CallError_Quota("x"), types.CallError_Invalid("x"), types.CallError_NotFound("x"),
            types.CallError_BusyResource("x"), types.CallError_Timeout(), types.CallError_Unavailable("x"),
            types.CallError_Internal("x"), types.CallError_Ended(types.EndReason.MOVED),
        ):
            thrown, _ = self.run_service(lambda call: call.ask_yes_no("?"), fails(error))
            self.assertEqual(thrown.value, error)

    def test_retries_end(self) -> None:
        raw = FakeCall()
        with self.assertRaises(Failure) as raised:
            gudok.retry(Call(raw), 3, "Не совпадает.", lambda number: None)
        self.assertEqual((raised.exception.kind, len(raw.said)), ("not-accepted", 3))
        self.assertEqual(gudok.retry(Call(raw), 3, "x", lambda number: number if number == 2 else None), 2)


class People(unittest.TestCase):
    def test_a_transfer_says_what_became_of_it(self) -> None:
        outcomes = [wit_transfer.TransferOutcome_BridgedThenReturned(5), wit_transfer.TransferOutcome_Closed("06:00")]
        with patch.object(wit_transfer, "transfer", lambda call, to, options: outcomes.pop(0)):
            call = Call(FakeCall())
            self.assertEqual(gudok.transfer_to_group(call, "operators").talked_ms, 5)
            self.assertEqual(gudok.transfer_to_number(call, "+7"), gudok.TransferEnd("closed", opens="06:00"))

    def queue_that(self, *events: Any) -> Any:
        class Ticket(queues.QueueTicket):
            left: list[str] = []
            happens = list(events)

            def next_event(self, timeout: int) -> Any:
                return self.happens.pop(0)

            def __exit__(self, *thrown: object) -> None:
                self.left.append("left")

        return patch.object(queues, "enqueue", lambda call, options: Ticket()), Ticket.left

    def test_a_talk_that_came_back_names_its_operator_and_the_place_is_given_back(self) -> None:
        patched, left = self.queue_that(
            queues.QueueEvent_Position(1), None, queues.QueueEvent_Answered("anna"), queues.QueueEvent_Returned(2_000)
        )
        with patched:
            outcome = gudok.wait_in_queue(Call(FakeCall()), "operators", and_back=True, skills={"en": 2})
        self.assertEqual((outcome, left), (gudok.Returned("anna", 2_000), ["left"]))

    def test_a_talk_that_fails_leads_to_an_operator_with_an_apology_where_ours_failed(self) -> None:
        def fails_so(failure: Exception) -> Any:
            def talk(call: Call) -> None:
                raise failure

            return talk

        raw = FakeCall()
        patched, _ = self.queue_that(queues.QueueEvent_Full())
        with patched, FakeHost() as host:
            summary = gudok.or_operator(Call(raw), "operators", fails_so(CallError("unavailable", "500")))
        assert summary is not None
        self.assertEqual((summary.code, summary.fields, host.steps), ("no-operator", {"why": "unavailable"}, ["operator"]))
        self.assertIn("Извините", raw.said[0].segments[0].value)
        patched, _ = self.queue_that(queues.QueueEvent_Closed("06:00"))
        with patched, FakeHost():
            gudok.or_operator(Call(raw), "operators", fails_so(Failure("operator")))
        self.assertEqual(len(raw.said), 1, "no apology for who wants a person")
        with FakeHost(), self.assertRaises(CallError):
            gudok.or_operator(Call(raw), "operators", fails_so(CallError("ended")))


class Buckets(unittest.TestCase):
    def test_an_update_that_was_overtaken_is_done_again(self) -> None:
        test = self

        class Raw(storage.Bucket):
            tries = 0

            def get(self, key: str) -> storage.Entry | None:
                return storage.Entry(b"5", 3)

            def compare_and_set(self, key: str, expected: int, value: bytes, ttl_seconds: int | None) -> int:
                self.tries += 1
                test.assertEqual((expected, value), (3, b"6"))
                if self.tries == 1:
                    raise fails(storage.CasError_Conflict(4))  # type: ignore[arg-type]
                if self.tries == 3:
                    raise fails(storage.CasError_Failed(types.CallError_Quota("storage_kib")))  # type: ignore[arg-type]
                return 5

        bucket = gudok.Bucket(Raw())
        self.assertEqual(bucket.update("key", lambda value: value + 1), 6)
        with self.assertRaises(CallError) as raised:
            bucket.update("key", lambda value: value + 1)
        self.assertEqual((raised.exception.kind, raised.exception.detail), ("quota", "storage_kib"))


class Values(unittest.TestCase):
    def test_dates_are_days_of_the_calendar(self) -> None:
        for good in ("2026-05-05", "2024-02-29", "2000-02-29", "2026-12-31"):
            self.assertIsNotNone(gudok.parse_date(good), good)
        for bad in ("2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-4-01", "05.05.2026", "", "٢٠٢٦-05-05"):
            self.assertIsNone(gudok.parse_date(bad), bad)

    def test_weekdays_begin_with_monday(self) -> None:
        for day, expected in (("2026-11-23", 0), ("2000-01-01", 5), ("2024-02-29", 3), ("2026-03-01", 6)):
            date = gudok.parse_date(day)
            assert date is not None
            self.assertEqual(gudok.weekday(date), expected, day)

    def test_days_are_counted_through_the_calendar(self) -> None:
        date, first = Date(2023, 12, 31), Date(2023, 12, 31)
        for days in range(1, 801):
            date = gudok.next_day(date)
            self.assertEqual(gudok.days_between(first, date), days)

    def test_later_may_be_another_day(self) -> None:
        evening = gudok.Datetime(Date(2026, 12, 31), gudok.TimeOfDay(22, 30), 420)
        later = gudok.in_minutes(evening, 120)
        self.assertEqual((later.date, gudok.minutes_of(later.time)), (Date(2027, 1, 1), 30))

    def test_a_contact_s_columns_are_read_as_lists_write_them(self) -> None:
        fields = [types.Field(*pair) for pair in (("name", " Анна "), ("none", " "), ("debt", "1 234,56"), ("due", "01.12.2026"))]
        contact = gudok.Contact(wit_campaign.Contact("1", "+79130000000", 1, fields))
        self.assertEqual((contact.field("name"), contact.field("none"), contact.field("gone")), ("Анна", None, None))
        self.assertEqual((contact.money("debt"), contact.date("due")), (gudok.kopecks(123_456), Date(2026, 12, 1)))
        for wrong in ("1234.567", "-5", "+5", "1,234.56", ",5", "пять"):
            self.assertIsNone(gudok.parse_rubles(wrong), wrong)

    def test_the_closest_language_wins(self) -> None:
        texts = {"ru-RU": 1, "en-GB": 2, "en-US": 3}
        for tag, expected in (("ru-RU", 1), ("ru", 1), ("en-US", 3), ("en-AU", 2), ("EN-gb", 2), ("", 1), ("de", 1)):
            self.assertEqual(gudok.choose(tag, texts), expected, tag)


class Conversations(unittest.TestCase):
    def test_they_print_what_gudok_test_reads(self) -> None:
        one = conversation("Один").at("2026-05-05 12:00").stored("b", "k", {"a": 1}).presses("1").operator_answers()
        one.back_end_answers("GET", "/x", 200, {"free": []}, sent={"a": 1}).then_field("n", "5")
        self.assertEqual(
            json.loads(to_json(one)),
            {
                "format": 1,
                "conversations": [
                    {
                        "title": "Один",
                        "settings": [
                            {"setting": "at", "time": "2026-05-05 12:00"},
                            {"setting": "stored", "bucket": "b", "key": "k", "value": '{"a": 1}'},
                        ],
                        "steps": [
                            {"step": "presses", "keys": "1"},
                            {"step": "operator-answers"},
                            {"step": "back-end-answers", "method": "GET", "path": "/x", "sent": {"a": 1}, "status": 200, "body": {"free": []}},
                            {"step": "then-field", "name": "n", "value": "5"},
                        ],
                    }
                ],
            },
        )
        with self.assertRaises(ValueError):
            to_json(conversation("Один"), conversation("Один"))


if __name__ == "__main__":
    unittest.main()
