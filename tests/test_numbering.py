"""Numbering plans: rules, spellings, inputs, other regions, opaque ids."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import phonenumbers
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from chanfp.errors import ChanfpError, ColumnError, DataError, ParameterError
from chanfp.numbering import NumberingPlan
from chanfp.numbering.automaton import compile_families
from chanfp.numbering.grammar import Ending, Family, Verdict, fixed_length
from chanfp.numbering.reasons import REASONS
from chanfp.numbering.rulebook import _rules, load_rulebook, load_world

CHINA = NumberingPlan("CN")
RULED_REGIONS = ("CN", "BR", "GB", "IN", "NG", "US")


def resolved(plan, text):
    keys, codes = plan.resolve([text])
    return plan.format(keys)[0], plan.reasons[codes[0]]


# Rules


@pytest.mark.parametrize("region", RULED_REGIONS)
def test_every_rule_catches_its_example(region):
    plan = NumberingPlan(region)
    for rule in load_rulebook(region).rules + load_world().texts:
        assert resolved(plan, rule.example)[1] == rule.reason, rule
        assert rule.why, rule


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        # Mobile numbers, however written
        ("13912345678", "+8613912345678", ""),
        ("+8613912345678", "+8613912345678", ""),
        ("008613912345678", "+8613912345678", ""),
        ("8613912345678", "+8613912345678", ""),
        ("013912345678", "+8613912345678", ""),
        ("+86013912345678", "+8613912345678", ""),
        ("+86 139-1234-5678", "+8613912345678", ""),
        ("139.1234.5678", "+8613912345678", ""),
        (" '13912345678\t", "+8613912345678", ""),
        ("tel:+86-139-1234-5678", "+8613912345678", ""),
        ("sip:+8613912345678@ims.example;user=phone", "+8613912345678", ""),
        ("１３９１２３４５６７８", "+8613912345678", ""),
        ("\u202a+86 139 1234 5678\u202c", "+8613912345678", ""),
        ("1795113912345678", "+8613912345678", ""),
        ("17951013912345678", "+8613912345678", ""),
        ("12593+8613912345678", "+8613912345678", ""),
        ("10193008613912345678", "+8613912345678", ""),
        ("0086 0139 1234 5678", "+8613912345678", ""),
        ("12583113912345678", "+8613912345678", ""),
        ("17951 0086 0 139 1234 5678", "+8613912345678", ""),
        # Any eleven digits from 13 on, virtual operators and former service codes among them
        ("17951123456", "+8617951123456", ""),
        ("16212345678", "+8616212345678", ""),
        ("17012345678", "+8617012345678", ""),
        ("19212345678", "+8619212345678", ""),
        ("14712345678", "+8614712345678", ""),
        ("14112345678", "+8614112345678", ""),
        ("1440012345678", "", "machine"),
        ("1064812345678", "", "machine"),
        ("+861064812345678", "", "machine"),
        # Landlines
        ("010-12345678", "+861012345678", ""),
        ("+86 10 12345678", "+861012345678", ""),
        ("+86 (0)10 6234 5678", "+861062345678", ""),
        ("01062345678", "+861062345678", ""),
        ("1032345678", "+861032345678", ""),
        ("0755-12345678", "+8675512345678", ""),
        ("075582345678", "+8675582345678", ""),
        ("75582345678", "+8675582345678", ""),
        ("8675582345678", "+8675582345678", ""),
        ("17909075582345678", "+8675582345678", ""),
        ("0951-5012345", "+869515012345", ""),
        ("0999 8012345", "+869998012345", ""),
        ("62345678", "", "no-area-code"),
        ("6234567", "", "no-area-code"),
        ("8610086", "", "no-area-code"),
        ("1795162345678", "", "no-area-code"),
        ("0123 4567 890", "", "invalid"),
        # Abroad
        ("+44 7911 123456", "+447911123456", ""),
        ("00447911123456", "+447911123456", ""),
        ("17951 00 44 7911 123456", "+447911123456", ""),
        ("+1 212 555 0123", "+12125550123", ""),
        ("+852 9123 4567", "+85291234567", ""),
        ("+999 12345678", "", "invalid"),
        ("+210 12345678", "", "invalid"),
        ("+1 112 555 0123", "", "invalid"),
        ("+4412", "", "invalid"),
        ("+861391234567", "", "invalid"),
        # Services, bare and behind prefixes
        ("110", "", "emergency"),
        ("122", "", "emergency"),
        ("+86110", "", "emergency"),
        ("10086", "", "operator-hotline"),
        ("100861", "", "operator-hotline"),
        ("1008611", "", "operator-hotline"),
        ("10086999", "", "operator-hotline"),
        ("+8610086", "", "operator-hotline"),
        ("1001023", "", "operator-hotline"),
        ("01010086", "", "operator-hotline"),
        ("1795110086", "", "operator-hotline"),
        ("02095588", "", "short-code"),
        ("+862095588", "", "short-code"),
        ("+8695588", "", "short-code"),
        ("9510105", "", "short-code"),
        ("955331", "", "short-code"),
        ("9558812345", "", "short-code"),
        ("116114", "", "short-code"),
        ("12306", "", "short-code"),
        ("12580", "", "short-code"),
        ("96110", "", "short-code"),
        ("075596888", "", "short-code"),
        ("*100#", "", "short-code"),
        ("400-123-4567", "", "shared-cost"),
        ("864001234567", "", "shared-cost"),
        ("0400 1234567", "", "shared-cost"),
        ("800-810-8888", "", "toll-free"),
        ("12590123", "", "voice-information"),
        ("16888", "", "voice-information"),
        ("16812345", "", "voice-information"),
        ("010-16812345", "", "voice-information"),
        ("106", "", "sms-port"),
        ("1065502123", "", "sms-port"),
        ("10690329013589012345", "", "sms-port"),
        ("8610690329013589", "", "sms-port"),
        ("17951", "", "ip-prefix"),
        ("17909", "", "ip-prefix"),
        ("12593", "", "ip-prefix"),
        ("10193", "", "ip-prefix"),
        ("12599", "", "voicemail"),
        ("12589", "", "conference"),
        ("1017578", "", "conference"),
        ("166", "", "voicemail"),
        ("10099", "", "operator-hotline"),
        ("10015", "", "operator-hotline"),
        ("100868", "", "operator-hotline"),
        ("13800138000", "", "operator-hotline"),
        ("+86 13800138000", "", "operator-hotline"),
        ("13800138001", "+8613800138001", ""),
        ("118114", "", "short-code"),
        ("12315", "", "short-code"),
        ("12345", "", "short-code"),
        ("16512345678", "+8616512345678", ""),
        ("16712345678", "+8616712345678", ""),
        ("17112345678", "+8617112345678", ""),
        ("010-10086", "", "operator-hotline"),
        ("0755 12306", "", "short-code"),
        # Ambiguous: bare, it is an SMS port; with +86 it is the Beijing number that E.164 says
        ("1065795555", "", "sms-port"),
        ("+861065795555", "+861065795555", ""),
        # Short, missing, damaged
        ("61234", "", "short-number"),
        ("7", "", "short-number"),
        ("13912345", "", "short-number"),
        ("139123456", "", "invalid"),
        ("1391234567", "", "invalid"),
        ("139123456789", "", "invalid"),
        ("139****5678", "", "invalid"),
        ("13912345678.0", "", "invalid"),
        ("7558234567.0", "", "invalid"),
        ("1.39123E+10", "", "invalid"),
        ("+", "", "invalid"),
        ("!?", "", "invalid"),
        ("9" * 10_000, "", "invalid"),
        ("+86" + " " * 10_000 + "13912345678", "+8613912345678", ""),
        ("", "", "missing"),
        (" \t", "", "missing"),
        ("--", "", "missing"),
        ("0", "", "missing"),
        (None, "", "missing"),
        ("NULL", "", "missing"),
        (" n/a ", "", "missing"),
        ("\\N", "", "missing"),
        ("未知", "", "missing"),
        ("Alipay", "", "alphanumeric"),
        ("支付宝", "", "alphanumeric"),
        ("a3f9b2c1d0e4", "", "alphanumeric"),
        ("tel:Alipay", "", "alphanumeric"),
    ],
)
def test_chinese_numbers(text, number, reason):
    assert resolved(CHINA, text) == (number, reason)


def test_reasons_are_the_same_everywhere_and_begin_with_the_ordinary_one():
    for plan in (CHINA, NumberingPlan("GB"), NumberingPlan("opaque")):
        assert plan.reasons == REASONS
        assert plan.reasons[0] == ""
        assert plan.fault_reasons == {"missing", "invalid"}


# Spellings of one number

MOBILE = st.integers(13_000_000_000, 19_999_999_999).map(str)
LANDLINE = st.tuples(
    st.sampled_from(load_rulebook("CN").area_codes),
    st.integers(20_000_000, 89_999_999).map(str),
)
LEADS = ["0", "+86", "0086", "86", "+860", "0086 0", "86-0", "tel:+86", "(+86) ", "＋８６"]
DIALLED = ["", "17951", "12593", "17909", "17911", "17950", "10193", "179 69"]


def spread(digits, separator):
    return separator.join([digits[:3], digits[3:7], digits[7:]])


@given(MOBILE, st.sampled_from([" ", "-", "", ".", "\u00a0"]))
def test_all_spellings_of_a_mobile_number_have_one_key(mobile, separator):
    tail = spread(mobile, separator)
    leads = ["", *LEADS]
    texts = [
        dial + lead + tail for dial in DIALLED for lead in leads if not dial or ":" not in lead
    ]
    assert set(CHINA.normalise(texts).tolist()) == {int("86" + mobile)}


@given(LANDLINE, st.sampled_from([" ", "-", ""]))
def test_all_spellings_of_a_landline_have_one_key(landline, separator):
    area, local = landline
    texts = [
        dial + lead + area + separator + local
        for dial in DIALLED
        for lead in LEADS
        if not dial or ":" not in lead
    ]
    keys = set(CHINA.normalise(texts).tolist())
    assert keys == {int("86" + area + local)}


def test_area_codes_complete_landlines():
    for code in ("010", "10"):
        plan = NumberingPlan("CN", area_code=code)
        assert resolved(plan, "6234 5678") == ("+861062345678", "")
        assert resolved(plan, "6234567") == ("", "short-number")
        assert resolved(plan, "0755 82345678") == ("+8675582345678", "")
        assert plan.area_code == "10"
    shenzhen = NumberingPlan("CN", area_code="0755")
    assert resolved(shenzhen, "82345678") == ("+8675582345678", "")
    assert resolved(shenzhen, "17951 8234 5678") == ("+8675582345678", "")
    assert resolved(shenzhen, "8610086") == ("+867558610086", "")
    assert resolved(shenzhen, "95588") == ("", "short-code")


def test_cities_never_share_a_key():
    local = ["62345678", "6234567"]
    codes = load_rulebook("CN").area_codes
    texts = ["0" + code + number for code in codes for number in local if len(code + number) > 9]
    keys = CHINA.normalise(texts)
    assert keys.all()
    assert len(set(keys.tolist())) == len(texts)


@pytest.mark.parametrize("region", ["CN", "GB", "US", "BR", "NG", "IN", "DE"])
def test_formatted_keys_read_back(region):
    plan = NumberingPlan(region)
    types = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
    examples = [
        phonenumbers.example_number_for_type(home, kind)
        for home in ("CN", "GB", "US", "BR", "NG", "IN", "DE", "IT", "HK", "SG")
        for kind in types
    ]
    texts = [
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for number in examples
    ]
    keys = plan.normalise(texts)
    assert plan.format(keys) == texts
    assert plan.normalise(plan.format(keys)).tolist() == keys.tolist()
    assert (keys < 2**50).all()


# Inputs


TEXTS = ["13912345678", None, "+86 10086", "010-62345678", "", "Alipay"]


def text_columns():
    array = pa.array(TEXTS)
    padded = pa.array(["x", *TEXTS, "y", None])
    yield "list", TEXTS
    yield "tuple", tuple(TEXTS)
    yield "generator", (text for text in TEXTS)
    yield "object array", np.array(TEXTS, object)
    yield "string", array
    yield "large_string", array.cast(pa.large_string())
    yield "sliced", padded.slice(1, len(TEXTS))
    yield "sliced large", padded.cast(pa.large_string()).slice(1, len(TEXTS))
    yield "chunked", pa.chunked_array([array.slice(0, 2), array.slice(2, 0), array.slice(2)])
    yield "dictionary", array.dictionary_encode()
    yield "sliced dictionary", padded.dictionary_encode().slice(1, len(TEXTS))
    yield (
        "dictionary with null value",
        pa.DictionaryArray.from_arrays(
            pa.array([0, 1, 2, 3, 4, 5], pa.int8()), pa.array(TEXTS, pa.large_string())
        ),
    )
    yield (
        "chunked dictionary",
        pa.chunked_array([array.slice(0, 3), array.slice(3)]).dictionary_encode(),
    )
    yield "string view", pa.array(TEXTS, pa.string_view())
    yield "pandas", pd.Series(TEXTS)
    yield "pandas object", pd.Series(TEXTS, dtype=object)
    yield "pandas categorical", pd.Series(TEXTS, dtype="category")
    yield "polars", pl.Series(TEXTS)


@pytest.mark.parametrize(("name", "column"), list(text_columns()))
def test_every_kind_of_column_gives_the_same(name, column):
    keys, codes = CHINA.resolve(column)
    assert keys.dtype == np.uint64
    assert codes.dtype == np.uint8
    assert CHINA.format(keys) == ["+8613912345678", "", "", "+861062345678", "", ""]
    assert [CHINA.reasons[code] for code in codes] == [
        "", "missing", "operator-hotline", "", "missing", "alphanumeric",
    ]  # fmt: skip


def test_numpy_text_arrays():
    texts = [text or "" for text in TEXTS]
    kinds = [np.array(texts), np.array(texts, "S")]
    if hasattr(np.dtypes, "StringDType"):
        kinds.append(np.array(texts, np.dtypes.StringDType()))
    for column in kinds:
        assert CHINA.normalise(column).tolist() == CHINA.normalise(TEXTS).tolist()


@pytest.mark.parametrize(
    "empty",
    [[], np.array([], str), pa.array([], pa.string()), pa.chunked_array([], pa.string()),
     pa.array([], pa.null()), pa.array([], pa.string()).dictionary_encode()],
)  # fmt: skip
def test_empty_columns(empty):
    for plan in (CHINA, NumberingPlan("opaque"), NumberingPlan("DE")):
        keys, codes = plan.resolve(empty)
        assert len(keys) == len(codes) == 0
        assert plan.classify(empty).tolist() == []
        assert plan.looks_opaque(empty) == 0.0


def test_columns_of_nothing_are_missing():
    for column in ([None, None], pa.nulls(2), pa.nulls(2, pa.string()), pa.array(["", " "])):
        assert CHINA.classify(column).tolist() == ["missing"] * 2
        assert NumberingPlan("opaque").classify(column).tolist() == ["missing"] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        [13912345678], np.array([13912345678]), np.array([1.0]), pa.array([1]), [b"13912345678"],
        pa.array([b"1"]), pa.array([1, 2]).dictionary_encode(), [1.5, None], ["139", 139],
        np.array(["139", 139], object), pd.Series([1, 2]), pl.Series([1, 2]), [True],
        np.array([["1"]]), "13912345678", 139, pa.array([["1"]]), ["\ud800"],
    ],
)  # fmt: skip
def test_what_is_not_text_is_refused(wrong):
    with pytest.raises(ColumnError, match="numbers must be") as caught:
        CHINA.resolve(wrong)
    assert isinstance(caught.value, ChanfpError)
    assert "\n" not in str(caught.value)


def test_read_only_buffers_and_order_do_not_matter():
    texts = np.array([text or "" for text in TEXTS] * 50, object)
    order = np.random.default_rng(5).permutation(len(texts))
    keys, codes = CHINA.resolve(pa.array(texts))
    shuffled_keys, shuffled_codes = CHINA.resolve(texts[order])
    assert (keys[order] == shuffled_keys).all()
    assert (codes[order] == shuffled_codes).all()
    keys.flags.writeable = False
    assert CHINA.format(keys)[:2] == ["+8613912345678", ""]


def test_classify_names_the_reasons():
    reasons = CHINA.classify(TEXTS)
    assert reasons.dtype == object
    assert reasons.tolist()[:3] == ["", "missing", "operator-hotline"]


def test_format_of_odd_keys():
    assert CHINA.format([]) == []
    assert CHINA.format(np.array([0, 10**15], np.uint64)) == ["", "#00038d7ea4c68000"]
    for keys in ([44, 0], (44, 0), pa.array([44, 0]), pa.chunked_array([[44], [0]], pa.uint64())):
        assert CHINA.format(keys) == ["+44", ""]


# Plans


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"region": "XX"}, "`region` must be"),
        ({"region": "CN", "area_code": "12"}, "`area_code` must be one of"),
        ({"region": "CN", "area_code": "0-10"}, "`area_code` must be one of"),
        ({"region": "GB", "area_code": "x"}, "`area_code` must be one of"),
        ({"region": "opaque", "area_code": "10"}, "`area_code` must be left out"),
        ({"region": "CN", "key": bytes(16)}, "`key` belongs to opaque"),
        ({"region": "opaque", "key": b"short"}, "`key` must be 16 bytes, got 5"),
    ],
)
def test_wrong_plans_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        NumberingPlan(**arguments)


def test_plans_pickle_and_name_themselves():
    for plan in (
        NumberingPlan("cn", area_code="010"), NumberingPlan("GB"),
        NumberingPlan("opaque", key=bytes(range(16))),
    ):  # fmt: skip
        twin = pickle.loads(pickle.dumps(plan))  # noqa: S301
        assert repr(twin) == repr(plan)
        assert (
            twin.normalise(["6234 5678", "a"]).tolist()
            == plan.normalise(["6234 5678", "a"]).tolist()
        )
    assert repr(NumberingPlan("cn", area_code="010")) == "NumberingPlan('CN', area_code='10')"


def test_china_does_not_need_phonenumbers():
    code = (
        "import sys; from chanfp.numbering import NumberingPlan; "
        "NumberingPlan('CN').resolve(['139']); print('phonenumbers' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_rule_files_are_checked():
    with pytest.raises(DataError, match="a rule must be"):
        _rules([["110", "police", "110", ""]], "XX")
    for pattern in ("(1", "1)", "1y"):
        with pytest.raises(DataError, match="a pattern"):
            compile_families([Family("", (Ending(pattern, Verdict(0)),))], Verdict(2))
    with pytest.raises(DataError, match="one length"):
        fixed_length("1x?")


# phonenumbers

# What libphonenumber's example of a type means here, where that isn't the same.
DIFFERENT_IN_CHINA = {
    # 168 lines are recorded information; "premium" is kept for what is dear and nothing more.
    PhoneNumberType.PREMIUM_RATE: "voice-information",
}
SAME_REASON = {
    PhoneNumberType.FIXED_LINE: "",
    PhoneNumberType.MOBILE: "",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "",
    PhoneNumberType.TOLL_FREE: "toll-free",
    PhoneNumberType.SHARED_COST: "shared-cost",
}


def test_examples_of_phonenumbers_for_china():
    expected = SAME_REASON | DIFFERENT_IN_CHINA
    seen = 0
    for kind in PhoneNumberType.values():
        number = phonenumbers.example_number_for_type("CN", kind)
        if number is None:
            continue
        seen += 1
        for style in (
            phonenumbers.PhoneNumberFormat.NATIONAL,
            phonenumbers.PhoneNumberFormat.E164,
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.RFC3966,
        ):
            text = phonenumbers.format_number(number, style)
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            reason = expected[kind]
            assert resolved(CHINA, text) == (e164 if reason == "" else "", reason)
    assert seen == len(expected)


def test_valid_mobiles_and_landlines_of_phonenumbers_have_their_e164_key():
    rng = np.random.default_rng(11)
    numbers = [f"1{rng.integers(3, 10)}{rng.integers(10**9):09d}" for _ in range(300)]
    areas = rng.choice(load_rulebook("CN").area_codes, 300)
    numbers += [f"0{area}{rng.integers(2, 9)}{rng.integers(10**7):07d}" for area in areas]
    for text in numbers:
        number = phonenumbers.parse(text, "CN")
        if phonenumbers.is_valid_number(number):
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert resolved(CHINA, text) == (e164, "")


# Examples of short numbers by what libphonenumber files them under: by cost and use, chanfp by what
# they are. 1062 and 1066 are filed under premium, 110 under toll-free as well.
SHORT_IN_CHINA = {
    "toll_free": "emergency",
    "emergency": "emergency",
    "premium_rate": "sms-port",
    "sms_services": "sms-port",
    "short_code": "operator-hotline",
    "standard_rate": "operator-hotline",
}


def test_short_examples_of_phonenumbers_for_china():
    known = phonenumbers.PhoneMetadata.short_metadata_for_region("CN")
    found = {}
    for name in ("general_desc", "carrier_specific", "carrier_specific_desc", *SHORT_IN_CHINA):
        kind = getattr(known, name, None)
        if kind is not None and kind.example_number:
            found[name] = resolved(CHINA, kind.example_number)
    assert found
    assert found == {name: ("", SHORT_IN_CHINA[name]) for name in found}


# Shorter than any number that can be dialled from abroad: reached inside Canada and Iran only.
NOT_FROM_ABROAD = {"+13101234", "+989601"}


def test_examples_of_phonenumbers_for_every_country_as_dialled_from_china():
    numbers = [
        phonenumbers.example_number_for_type(region, kind)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS - {"CN"})
        for kind in PhoneNumberType.values()
    ]
    numbers += [
        phonenumbers.example_number_for_non_geo_entity(code)
        for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
    ]
    e164 = [
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for number in numbers
        if number is not None
    ]
    assert len(e164) > 1000
    for texts in (e164, ["00" + text[1:] for text in e164], ["17951 00" + t[1:] for t in e164]):
        keys, codes = CHINA.resolve(texts)
        differ = {
            text
            for text, found, code in zip(e164, CHINA.format(keys), codes.tolist(), strict=True)
            if found != text or code
        }
        assert differ <= NOT_FROM_ABROAD


@pytest.mark.parametrize(
    ("region", "text", "number", "reason"),
    [
        ("GB", "020 7946 0000", "+442079460000", ""),
        ("GB", "+44 (0)20 7946 0000", "+442079460000", ""),
        ("GB", "7911123456", "+447911123456", ""),
        ("GB", "0044 7911 123456", "+447911123456", ""),
        ("GB", "0845 123 4567", "", "shared-cost"),
        ("GB", "+448451234567", "", "shared-cost"),
        ("GB", "0871 123 4567", "", "premium"),
        ("GB", "0800 1111", "", "toll-free"),
        ("GB", "0300 123 4567", "", "business-line"),
        ("GB", "07600123456", "", "machine"),
        ("GB", "112", "", "emergency"),
        ("GB", "60777", "", "short-code"),
        ("GB", "7946 0000", "", "no-area-code"),
        ("GB", "+8613912345678", "+8613912345678", ""),
        ("GB", "+999 12345678", "", "invalid"),
        ("GB", "HSBC", "", "alphanumeric"),
        ("GB", "unknown", "", "missing"),
        ("GB", "sip:+447911123456@ims.example", "+447911123456", ""),
        ("GB", "07911123456.0", "", "invalid"),
        ("GB", "9" * 10_000, "", "invalid"),
        ("NG", "112", "", "emergency"),
        ("NG", "180", "", "operator-hotline"),
        ("NG", "300", "", "operator-hotline"),
        ("NG", "0803 123 4567", "+2348031234567", ""),
        ("NG", "009 44 7911 123456", "+447911123456", ""),
        ("BR", "90 15 11 98765-4321", "+5511987654321", ""),
        ("BR", "0 15 11 98765-4321", "+5511987654321", ""),
        ("BR", "11 98765-4321", "+5511987654321", ""),
        ("BR", "+55 11 3333-4444", "+551133334444", ""),
        ("BR", "9090 98765-4321", "", "no-area-code"),
        ("BR", "98765-4321", "", "no-area-code"),
        ("BR", "4004-1234", "", "shared-cost"),
        ("BR", "190", "", "emergency"),
        ("IN", "098123 45678", "+919812345678", ""),
        ("IN", "9812345678", "+919812345678", ""),
        ("IN", "1600 123 456", "", "business-line"),
        ("IN", "1800 111 222", "", "toll-free"),
        ("IN", "AX-HDFCBK", "", "alphanumeric"),
        ("US", "(212) 555-0123", "+12125550123", ""),
        ("US", "1 212 555 0123", "+12125550123", ""),
        ("US", "+12125550123", "+12125550123", ""),
        ("US", "*67 212 555 0123", "+12125550123", ""),
        ("US", "1010288 1 212 555 0123", "+12125550123", ""),
        ("US", "011 86 139 1234 5678", "+8613912345678", ""),
        ("US", "555-0123", "", "no-area-code"),
        ("US", "911", "", "emergency"),
        ("US", "411", "", "short-code"),
        ("US", "72345", "", "sms-port"),
        ("DE", "030 123456", "+4930123456", ""),
        ("DE", "112", "", "emergency"),
        ("IT", "06 698 12345", "+390669812345", ""),
    ],
)
def test_other_regions(region, text, number, reason):
    assert resolved(NumberingPlan(region), text) == (number, reason)


def test_area_codes_of_other_regions():
    assert resolved(NumberingPlan("BR", area_code="11"), "9090 98765-4321") == (
        "+5511987654321",
        "",
    )
    assert resolved(NumberingPlan("US", area_code="212"), "555-0123") == ("+12125550123", "")
    assert resolved(NumberingPlan("GB", area_code="020"), "7946 0000") == ("+442079460000", "")


def test_other_regions_ask_once_per_distinct_text_and_tell_progress():
    plan = NumberingPlan("DE")
    told = []
    texts = ["030 123456", "0171 1234567", None] * 40
    keys, _ = plan.resolve(texts, progress=lambda *call: told.append(call))
    assert told == [("numbering", 2, 2)]
    assert plan.format(keys[:3]) == ["+4930123456", "+491711234567", ""]
    assert plan._ask_worldwide.cache_info().misses == 2


# Opaque ids


def test_opaque_ids_are_told_apart_and_not_read():
    plan = NumberingPlan("opaque")
    keys, codes = plan.resolve(["13912345678", " 13912345678\n", "+8613912345678", None, ""])
    assert keys[0] == keys[1] != keys[2]
    assert [plan.reasons[code] for code in codes] == ["", "", "", "missing", "missing"]
    assert keys[3:].tolist() == [0, 0]
    other = NumberingPlan("opaque", key=bytes(16)).normalise(["13912345678"])
    assert other[0] != keys[0]


def test_opaque_keys_are_for_ever():
    keys = NumberingPlan("opaque").normalise(["a3f9", "用户"])
    assert NumberingPlan("OPAQUE").format(keys) == ["#e2f2552510cd85a8", "#b5029734bd3767d4"]


@given(st.lists(st.text()))
def test_opaque_keys_read_back(texts):
    plan = NumberingPlan("opaque")
    keys = plan.normalise(texts)
    assert plan.normalise(plan.format(keys)).tolist() == keys.tolist()


def test_columns_that_mix_hashes_and_numbers_are_seen():
    hashes = ["5f4dcc3b5aa765d61d8327deb882cf99", "Zm9vYmFyMTIz=", "0a1b2c3d"]
    numbers = ["13912345678", "+86 139 1234 5678", "10086", "Alipay"]
    assert CHINA.looks_opaque(hashes) == 1.0
    assert CHINA.looks_opaque(numbers) == 0.0
    assert CHINA.looks_opaque([*hashes, *numbers[:3], None, ""]) == 0.5
    assert CHINA.looks_opaque(pa.array(hashes).dictionary_encode()) == 1.0
    assert CHINA.looks_opaque([None, " "]) == 0.0
    assert CHINA.looks_opaque(["1"] * 30_000 + hashes) == 0.0
