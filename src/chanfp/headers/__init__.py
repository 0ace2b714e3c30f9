"""Headers: which column of a CDR file means what, which way a call went, and settings for both."""

from .columns import CALL_CENTRED, SUBSCRIBER_CENTRED, WORDS, ColumnMap, FoundColumn, recognise
from .directions import INCOMING, OUTGOING, UNKNOWN, check_directions, read_direction
from .settings import Settings, read_settings
from .words import find_meanings, find_words, known_meanings

__all__ = [
    "CALL_CENTRED",
    "INCOMING",
    "OUTGOING",
    "SUBSCRIBER_CENTRED",
    "UNKNOWN",
    "WORDS",
    "ColumnMap",
    "FoundColumn",
    "Settings",
    "check_directions",
    "find_meanings",
    "find_words",
    "known_meanings",
    "read_direction",
    "read_settings",
    "recognise",
]
