"""docs/formats.md holds every column, reason and key that comes in or goes out."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

import chanfp
from chanfp import numberlists, shortnumbers, subscribers
from chanfp.audit import schemas as schemas_of_audit
from chanfp.audit.indicators import INDICATORS
from chanfp.chains.schemas import LINK_SCHEMA, PERSON_SCHEMA
from chanfp.cleaning import INTEGER_NOTE
from chanfp.explanation import partners, rivalry, saved
from chanfp.headers.columns import WORDS
from chanfp.headers.settings import read_settings
from chanfp.numbering.reasons import FAULT_REASONS, REASONS
from chanfp.screening import OTHER_FAULTS
from chanfp.sidetables import definitions
from chanfp.simulation import simulate
from chanfp.simulation.schemes import SCHEMES
from chanfp.tables.csvfiles import RAGGED

PAGE = Path(__file__).parent.parent / "docs" / "formats.md"
NO_MATCH = {name: pa.array([], pa.string()) for name in ("new", "old", "grade")}
TABLES = ("USAGE", "SETTLEMENTS", "RECHARGES", "CELLS", "SALES", "OUTLETS")


@pytest.fixture(scope="module")
def in_code():
    """Every name that stands as code on the page."""
    text = re.sub(r"^```.*?^```", "", PAGE.read_text(encoding="utf-8"), flags=re.M | re.S)
    return set(re.findall(r"[a-z][\w-]*", " ".join(re.findall(r"`([^`]+)`", text))))


@pytest.fixture(scope="module")
def carrier():
    return simulate(200, seed=1, days=14)


@pytest.fixture(scope="module")
def matches(carrier):
    fingerprints = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers)
    return chanfp.Matcher().fit(fingerprints).match()


def test_every_column_that_comes_in(in_code):
    schemas = [getattr(definitions, name) for name in TABLES]
    schemas += [numberlists.SCHEMA, shortnumbers.SCHEMA]
    names = {column.name for schema in schemas for column in schema.columns}
    assert set(WORDS) | set(subscribers.WORDS) | names <= in_code


def test_every_column_that_goes_out(in_code, carrier):
    assert set(chanfp.MATCH_SCHEMA.names) | set(carrier.truth.column_names) <= in_code
    assert set(carrier.truth["kind"].to_pylist()) <= in_code


def test_every_column_of_an_audit(in_code, carrier):
    schemas = [schemas_of_audit.NODE_SCHEMA, schemas_of_audit.SUBSCRIPTION_SCHEMA]
    names = {name for schema in [*schemas, schemas_of_audit.FLAG_SCHEMA] for name in schema.names}
    names |= {name for name, _ in schemas_of_audit.CUT_FIGURES}
    assert names | set(INDICATORS) | set(carrier.outlet_truth.column_names) <= in_code
    assert {"farmed", "partial-returner", *SCHEMES} <= in_code


def test_every_column_of_an_explanation(in_code, judged_matches):
    inside = (partners.SHARED_SCHEMA, partners.RENAMED_SCHEMA, rivalry.RIVAL_SCHEMA)
    names = {name for schema in inside for name in schema.names}
    names |= {name for name, _ in saved.TIMELINE_FIELDS} | set(saved.NESTED)
    assert names <= in_code
    new = judged_matches.table["new"][0].as_py()
    assert set(judged_matches.explain(new).to_dict()) <= in_code


def test_every_key_of_a_calibration(in_code, judged_matches):
    assert keys_of(judged_matches.calibration().to_dict(), ()) <= in_code


def test_every_column_of_chains(in_code):
    names = {*PERSON_SCHEMA.names, *LINK_SCHEMA.names}
    assert names | set(chanfp.link_chains(pa.table(NO_MATCH)).summary) <= in_code


def test_every_reason(in_code):
    numbers = set(REASONS) - FAULT_REASONS - {""}
    rows = {reason for reason, _ in OTHER_FAULTS}
    assert numbers | rows | {RAGGED, INTEGER_NOTE} <= in_code


def keys_of(found, numbered=("quantiles", "rejected_by_reason", "filtered_by_reason", "examples",
                             "notes", "columns", "number_classes")):  # fmt: skip
    """Return the keys of plain values, those of tables whose keys are data left out."""
    if isinstance(found, dict):
        inner = (keys_of(value) for key, value in found.items() if key not in numbered)
        return {*found}.union(*inner)
    return set().union(*map(keys_of, found)) if isinstance(found, list) else set()


def test_every_key_of_a_first_look(in_code, carrier):
    found = chanfp.inspect_cdrs(carrier.cdrs, carrier.subscribers).to_dict()
    found["days"]["records"] = {}
    assert keys_of(found) <= in_code


def test_every_key_of_the_summary(in_code, matches):
    summary = matches.summary
    nested = (summary[name] for name in ("records", "subscribers", "hubs"))
    assert set(summary).union(*nested) <= in_code


def test_every_setting_of_the_file(in_code, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S)
    named = set(re.findall(r"^\[?([a-z_]+)", example, re.M))
    assert {name for name in vars(read_settings(path)) if not name.startswith("_")} <= named
