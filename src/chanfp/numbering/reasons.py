"""Why a text holds no ordinary subscriber number: one vocabulary for every region."""

from __future__ import annotations

__all__ = ["CODES", "FAULT_REASONS", "REASONS", "UNRESOLVED"]

MEANINGS = {
    "": "ordinary subscriber number, at home or abroad",
    "missing": "null, empty, or a word such as `unknown`",
    "invalid": "no number of any plan, or damaged on its way",
    "no-area-code": "landline without its area code; give `area_code` to complete it",
    "short-number": "shorter than a subscriber number, no known service; often inside a group",
    "alphanumeric": "sender id with letters",
    "emergency": "police, fire, ambulance and the like",
    "operator-hotline": "customer service of an operator",
    "short-code": "directory, hotlines of the state and of companies, service codes with * and #",
    "toll-free": "free for the caller",
    "shared-cost": "the called company pays part, or one tariff for the whole country",
    "business-line": "number that only companies and authorities use",
    "premium": "dear by the minute or call",
    "voice-information": "recorded information and chat lines",
    "sms-port": "sends and receives SMS by machine",
    "machine": "SIM of a machine, pager",
    "ip-prefix": "carrier, IP-call or caller-id prefix with no number behind it",
    "voicemail": "mailbox",
    "conference": "conference bridge",
    "group-short": "short number inside a group that no table names",
}
"""Meaning of each reason, in the order of the codes."""

REASONS = tuple(MEANINGS)
CODES = {reason: code for code, reason in enumerate(REASONS)}
FAULT_REASONS = frozenset({"missing", "invalid"})
UNRESOLVED = 255
"""Code inside chanfp of a text that the rules leave to phonenumbers; never comes out."""
