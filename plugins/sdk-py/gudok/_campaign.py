"""What a campaign says before dialling, and what came of its call."""

from __future__ import annotations

from wit_world.exports import campaign as wit
from wit_world.imports.types import Datetime


class Plan:
    """What a campaign says before dialling."""

    #: call
    DIAL: wit.Plan = wit.Plan_Dial()

    @staticmethod
    def skip(why: str) -> wit.Plan:
        """Never; says why, in a few words without anything personal."""
        return wit.Plan_Skip(why)

    @staticmethod
    def not_before(moment: Datetime) -> wit.Plan:
        """Not before this moment."""
        return wit.Plan_NotBefore(moment)


class Disposition:
    """What came of a campaign's call."""

    #: informed
    DELIVERED: wit.Disposition = wit.Disposition_Delivered()
    #: wants to hear nothing of it
    DECLINED: wit.Disposition = wit.Disposition_Declined()
    #: the message is on a machine
    VOICEMAIL: wit.Disposition = wit.Disposition_Voicemail()
    #: somebody else
    WRONG_PERSON: wit.Disposition = wit.Disposition_WrongPerson()
    #: wants no such calls at all
    DO_NOT_CALL: wit.Disposition = wit.Disposition_DoNotCall()

    @staticmethod
    def confirmed(words: str) -> wit.Disposition:
        """Informed and confirmed, in a few words without anything personal: "understood"."""
        return wit.Disposition_Confirmed(words)

    @staticmethod
    def retry_at(moment: Datetime) -> wit.Disposition:
        """Asked to be called at another time."""
        return wit.Disposition_RetryAt(moment)

    @staticmethod
    def failed(words: str) -> wit.Disposition:
        """Not informed, and why: "identity not checked"."""
        return wit.Disposition_Failed(words)
