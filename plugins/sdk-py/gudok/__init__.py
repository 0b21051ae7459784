"""What an agency's script is written with in Python.

A script is linear code: ``@service`` names the function that the host calls once per call, in an instance of its own, and each
method of ``Call`` returns when the caller has heard or answered::

    from gudok import Call, Gender, counted, noun, service

    REQUEST = noun("заявка", "заявки", "заявок", "заявки", Gender.FEMININE)

    @service
    def run(call: Call) -> None:
        call.say("Здравствуйте. Перед вами", counted(21, REQUEST), ".")

What needs a capability (``wait_in_queue``, ``http``, ``Bucket`` …) is there where manifest.toml declares it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gudok import host as host
from gudok._answers import Answer as Answer
from gudok._answers import Given as Given
from gudok._answers import Global as Global
from gudok._answers import NoInput as NoInput
from gudok._answers import NoMatch as NoMatch
from gudok._answers import chosen as chosen
from gudok._answers import given as given
from gudok._ask import Item as Item
from gudok._ask import item as item
from gudok._call import Call as Call
from gudok._call import Player as Player
from gudok._entry import campaign as campaign
from gudok._entry import service as service
from gudok._errors import CallError as CallError
from gudok._errors import Failure as Failure
from gudok._language import choose as choose
from gudok._prompt import Piece as Piece
from gudok._prompt import Prompt as Prompt
from gudok._prompt import Sayable as Sayable
from gudok._prompt import counted as counted
from gudok._prompt import date as date
from gudok._prompt import decimal as decimal
from gudok._prompt import digits as digits
from gudok._prompt import duration as duration
from gudok._prompt import key as key
from gudok._prompt import media as media
from gudok._prompt import money as money
from gudok._prompt import noun as noun
from gudok._prompt import number as number
from gudok._prompt import ordinal as ordinal
from gudok._prompt import phone as phone
from gudok._prompt import plain_noun as plain_noun
from gudok._prompt import prompt as prompt
from gudok._prompt import registration_number as registration_number
from gudok._prompt import silence as silence
from gudok._prompt import spell as spell
from gudok._prompt import ssml as ssml
from gudok._prompt import time as time
from gudok._prompt import tone as tone
from gudok._summary import Summary as Summary
from gudok._summary import abandoned as abandoned
from gudok._summary import callback_booked as callback_booked
from gudok._summary import ended_with as ended_with
from gudok._summary import no_service as no_service
from gudok._summary import queued as queued
from gudok._summary import served as served
from gudok._summary import transferred as transferred
from gudok._talk import or_goodbye as or_goodbye
from gudok._talk import retry as retry
from gudok._values import days_between as days_between
from gudok._values import in_minutes as in_minutes
from gudok._values import kopecks as kopecks
from gudok._values import minutes_of as minutes_of
from gudok._values import next_day as next_day
from gudok._values import parse_date as parse_date
from gudok._values import parse_rubles as parse_rubles
from gudok._values import parse_time as parse_time
from gudok._values import parse_whole as parse_whole
from gudok._values import weekday as weekday
from wit_world.imports.prompts import DigitGrouping as Grouping
from wit_world.imports.prompts import Gender as Gender
from wit_world.imports.prompts import GrammaticalCase as Case
from wit_world.imports.telephony import AnsweredBy as AnsweredBy
from wit_world.imports.telephony import CallInfo as CallInfo
from wit_world.imports.telephony import Pace as Pace
from wit_world.imports.telephony import PlaybackEnd as PlaybackEnd
from wit_world.imports.telephony import RejectCause as RejectCause
from wit_world.imports.types import Date as Date
from wit_world.imports.types import Datetime as Datetime
from wit_world.imports.types import EndReason as EndReason
from wit_world.imports.types import Money as Money
from wit_world.imports.types import TimeOfDay as TimeOfDay

if TYPE_CHECKING:
    from gudok import directory as directory
    from gudok import http as http
    from gudok._campaign import Disposition as Disposition
    from gudok._campaign import Plan as Plan
    from gudok._contact import Contact as Contact
    from gudok._failure import or_operator as or_operator
    from gudok._promises import EntryVersion as EntryVersion
    from gudok._promises import TicketKind as TicketKind
    from gudok._promises import offer_callback as offer_callback
    from gudok._promises import request_callback as request_callback
    from gudok._promises import submit_spoken_answer as submit_spoken_answer
    from gudok._promises import submit_survey as submit_survey
    from gudok._promises import submit_ticket as submit_ticket
    from gudok._queue import CalledBack as CalledBack
    from gudok._queue import Closed as Closed
    from gudok._queue import Full as Full
    from gudok._queue import Peer as Peer
    from gudok._queue import QueueOutcome as QueueOutcome
    from gudok._queue import QueueTicket as QueueTicket
    from gudok._queue import Returned as Returned
    from gudok._queue import TimedOut as TimedOut
    from gudok._queue import enter_queue as enter_queue
    from gudok._queue import follow_queue as follow_queue
    from gudok._queue import wait_in_queue as wait_in_queue
    from gudok._recording import Recorder as Recorder
    from gudok._recording import record_message as record_message
    from gudok._recording import start_recording as start_recording
    from gudok._storage import Bucket as Bucket
    from gudok._transfer import TransferEnd as TransferEnd
    from gudok._transfer import TransferMode as TransferMode
    from gudok._transfer import transfer_to_extension as transfer_to_extension
    from gudok._transfer import transfer_to_group as transfer_to_group
    from gudok._transfer import transfer_to_number as transfer_to_number
    from gudok._transfer import transfer_to_operator as transfer_to_operator
    from gudok._transfer import transfer_to_script as transfer_to_script

#: What is loaded only when it is used, as it needs a capability or is a campaign's: names by the module and what it needs.
_LATER = {
    ("_campaign", 'kind = "campaign"'): ["Disposition", "Plan"],
    ("_contact", 'kind = "campaign"'): ["Contact"],
    ("_failure", "queues"): ["or_operator"],
    ("_promises", "promises"): [
        "EntryVersion", "TicketKind", "offer_callback", "request_callback", "submit_spoken_answer", "submit_survey", "submit_ticket",
    ],
    ("_queue", "queues"): [
        "CalledBack", "Closed", "Full", "Peer", "QueueOutcome", "QueueTicket", "Returned", "TimedOut", "enter_queue",
        "follow_queue", "wait_in_queue",
    ],
    ("_recording", "recording"): ["Recorder", "record_message", "start_recording"],
    ("_storage", "storage"): ["Bucket"],
    ("_transfer", "transfer"): [
        "TransferEnd", "TransferMode", "transfer_to_extension", "transfer_to_group", "transfer_to_number", "transfer_to_operator", "transfer_to_script",
    ],
    ("directory", "directory"): ["directory"],
    ("http", "fetch"): ["http"],
}


def __getattr__(name: str) -> Any:
    for (module, needs), names in _LATER.items():
        if name not in names:
            continue
        try:
            loaded = import_module(f"gudok.{module}")
        except ImportError as thrown:
            message = f"gudok.{name} needs the capability {needs}, which manifest.toml does not declare"
            raise ImportError(message) from thrown
        return loaded if name == module else getattr(loaded, name)
    raise AttributeError(f"module 'gudok' has no attribute {name!r}")
