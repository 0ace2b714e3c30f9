"""Headers: which column of a CDR file means what, what its values mean, and settings for both."""

from .columns import (
    CALL_CENTRED,
    SUBSCRIBER_CENTRED,
    WORDS,
    ColumnMap,
    FoundColumn,
    find_column,
    recognise,
)
from .directions import (
    INCOMING,
    MISSING,
    OUTGOING,
    UNREADABLE,
    check_directions,
    read_direction,
)
from .kinds import CALL, MESSAGE, UNKNOWN_KIND, read_kind
from .settings import Settings, read_settings
from .words import find_meanings, find_words, known_meanings

__all__ = [
    "CALL",
    "CALL_CENTRED",
    "INCOMING",
    "MESSAGE",
    "MISSING",
    "OUTGOING",
    "SUBSCRIBER_CENTRED",
    "UNKNOWN_KIND",
    "UNREADABLE",
    "WORDS",
    "ColumnMap",
    "FoundColumn",
    "Settings",
    "check_directions",
    "find_column",
    "find_meanings",
    "find_words",
    "known_meanings",
    "read_direction",
    "read_kind",
    "read_settings",
    "recognise",
]
