"""Numbers of any region by phonenumbers, for texts that the rule files leave open.

phonenumbers is slow (tens of microseconds a number), so it is imported when first needed and
asked once per distinct text.
"""

from __future__ import annotations

import re
from typing import Any

from ..errors import ParameterError
from .reasons import CODES

__all__ = ["KEY_LIMIT", "check_region", "dialling_codes", "resolve_text"]

KEY_LIMIT = 10**15
"""E.164 numbers have at most 15 digits (ITU-T E.164, section 6)."""
URI = re.compile(r"(?:tel|sips?):([^;@?]*)", re.IGNORECASE | re.ASCII)


def check_region(region: str) -> None:
    """Raise unless phonenumbers knows the region.

    Raises
    ------
    ParameterError
        If it doesn't.
    """
    import phonenumbers

    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ParameterError(
            f"`region` must be `opaque` or an ISO 3166 code such as CN, GB or US, got {region!r}; "
            "use `opaque` for hashed ids."
        )


def dialling_codes(region: str) -> tuple[str, str, tuple[str, ...]]:
    """Return country code, trunk prefix (may be empty) and international prefixes of a region."""
    import phonenumbers

    known: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    abroad = known.international_prefix or ""
    # Some metadata hold a pattern of carrier codes there; only plain digits are taken.
    return str(known.country_code), known.national_prefix or "", (abroad,) * abroad.isdigit()


def resolve_text(text: str, region: str, area_code: str | None) -> tuple[int, int]:
    """Return key and reason code of one text without letters.

    A number abroad needs only a possible length; one of the region must be valid.
    """
    import phonenumbers

    uri = URI.match(text)
    text = uri[1] if uri else text
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:  # overlong texts too
        return 0, CODES["invalid"]
    at_home = number.country_code == phonenumbers.country_code_for_region(region)
    if at_home and not text.lstrip().startswith("+"):
        reason = _short_reason(number, text, region)
        if reason is not None:
            return 0, CODES[reason]
    if not at_home and phonenumbers.is_possible_number(number):
        return _key(number)
    if phonenumbers.is_valid_number(number):
        reason = _reason_of_type(phonenumbers.number_type(number))
        return _key(number) if reason == "" else (0, CODES[reason])
    return _resolve_incomplete(number, text, region, area_code)


def _resolve_incomplete(
    number: Any, text: str, region: str, area_code: str | None
) -> tuple[int, int]:
    """Resolve what is no whole number: a local one, a short one, or nothing."""
    import phonenumbers

    digits = phonenumbers.national_significant_number(number)
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        if area_code is None:
            return 0, CODES["no-area-code"]
        country_code = phonenumbers.country_code_for_region(region)
        return resolve_text(f"+{country_code}{area_code}{digits}", region, None)
    typed_plainly = sum(sign.isdigit() for sign in text) == len(digits)
    if typed_plainly and possible == phonenumbers.ValidationResult.TOO_SHORT:
        return 0, CODES["short-number"]
    return 0, CODES["invalid"]


def _key(number: Any) -> tuple[int, int]:
    import phonenumbers

    key = int(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:])
    return (key, CODES[""]) if key < KEY_LIMIT else (0, CODES["invalid"])


def _short_reason(number: Any, text: str, region: str) -> str | None:
    """Return the reason of a short number of the region, None for any other number."""
    from phonenumbers import shortnumberinfo

    if shortnumberinfo.is_emergency_number(text, region):
        return "emergency"
    if not shortnumberinfo.is_valid_short_number_for_region(number, region):
        return None
    cost = shortnumberinfo.expected_cost_for_region(number, region)
    if cost == shortnumberinfo.ShortNumberCost.PREMIUM_RATE:
        return "premium"
    if shortnumberinfo.is_sms_service_for_region(number, region):
        return "sms-port"
    return "short-code"


def _reason_of_type(number_type: int) -> str:
    from phonenumbers import PhoneNumberType

    return {
        PhoneNumberType.TOLL_FREE: "toll-free",
        PhoneNumberType.PREMIUM_RATE: "premium",
        PhoneNumberType.SHARED_COST: "shared-cost",
        PhoneNumberType.UAN: "business-line",
        PhoneNumberType.VOICEMAIL: "voicemail",
        PhoneNumberType.PAGER: "machine",
    }.get(number_type, "")
