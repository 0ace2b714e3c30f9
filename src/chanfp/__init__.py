"""Find the subscribers who left and came back under a new number, and say how sure that is.

The public names, no logic. Each is imported when it is first used, so that ``import chanfp``
costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .audit import OutletAudit, audit_outlets
    from .building import build_fingerprints
    from .calibration import Calibration
    from .cdr import CallRecords, read_cdrs
    from .chains import Chains, link_chains
    from .errors import (
        ChanfpError,
        ChanfpWarning,
        ColumnError,
        DataError,
        MissingExtraError,
        ParameterError,
    )
    from .explanation import Explanation, SavedExplanations, read_explanations
    from .fingerprints import Fingerprints, FingerprintSet
    from .grading import SimilarityTier, SimilarityTiers
    from .index import PartnerIndex
    from .inspection import Inspection, inspect_cdrs
    from .matcher import Matcher
    from .matches import MATCH_SCHEMA, Matches
    from .model import MatchModel
    from .numbering import NumberingPlan
    from .numberlists import NumberList
    from .pairs import Pairs
    from .partner_evidence import PartnerEvidence, measure_pairs
    from .planning import plan_join
    from .plans import JoinPlan
    from .policy import GradePolicy
    from .shortnumbers import ShortNumbers
    from .sidetables import (
        SideTable,
        read_cells,
        read_outlets,
        read_recharges,
        read_sales,
        read_settlements,
        read_usage,
    )
    from .signatures import minhash
    from .similarity import containment_join, jaccard_join
    from .simulation import SimulatedCarrier, simulate
    from .subscribers import Subscribers, read_subscribers

__version__: str

_MODULE_OF = {
    "Calibration": "calibration",
    "CallRecords": "cdr",
    "Chains": "chains",
    "ChanfpError": "errors",
    "ChanfpWarning": "errors",
    "ColumnError": "errors",
    "DataError": "errors",
    "Explanation": "explanation",
    "FingerprintSet": "fingerprints",
    "Fingerprints": "fingerprints",
    "GradePolicy": "policy",
    "Inspection": "inspection",
    "JoinPlan": "plans",
    "MATCH_SCHEMA": "matches",
    "MatchModel": "model",
    "Matcher": "matcher",
    "Matches": "matches",
    "MissingExtraError": "errors",
    "NumberList": "numberlists",
    "NumberingPlan": "numbering",
    "OutletAudit": "audit",
    "Pairs": "pairs",
    "ParameterError": "errors",
    "PartnerIndex": "index",
    "PartnerEvidence": "partner_evidence",
    "SavedExplanations": "explanation",
    "ShortNumbers": "shortnumbers",
    "SideTable": "sidetables",
    "SimilarityTier": "grading",
    "SimilarityTiers": "grading",
    "SimulatedCarrier": "simulation",
    "Subscribers": "subscribers",
    "audit_outlets": "audit",
    "build_fingerprints": "building",
    "containment_join": "similarity",
    "inspect_cdrs": "inspection",
    "jaccard_join": "similarity",
    "link_chains": "chains",
    "measure_pairs": "partner_evidence",
    "minhash": "signatures",
    "plan_join": "planning",
    "read_cdrs": "cdr",
    "read_cells": "sidetables",
    "read_explanations": "explanation",
    "read_outlets": "sidetables",
    "read_recharges": "sidetables",
    "read_sales": "sidetables",
    "read_settlements": "sidetables",
    "read_subscribers": "subscribers",
    "read_usage": "sidetables",
    "simulate": "simulation",
}

__all__ = [
    "MATCH_SCHEMA",
    "Calibration",
    "CallRecords",
    "Chains",
    "ChanfpError",
    "ChanfpWarning",
    "ColumnError",
    "DataError",
    "Explanation",
    "FingerprintSet",
    "Fingerprints",
    "GradePolicy",
    "Inspection",
    "JoinPlan",
    "MatchModel",
    "Matcher",
    "Matches",
    "MissingExtraError",
    "NumberList",
    "NumberingPlan",
    "OutletAudit",
    "Pairs",
    "ParameterError",
    "PartnerEvidence",
    "PartnerIndex",
    "SavedExplanations",
    "ShortNumbers",
    "SideTable",
    "SimilarityTier",
    "SimilarityTiers",
    "SimulatedCarrier",
    "Subscribers",
    "__version__",
    "audit_outlets",
    "build_fingerprints",
    "containment_join",
    "inspect_cdrs",
    "jaccard_join",
    "link_chains",
    "measure_pairs",
    "minhash",
    "plan_join",
    "read_cdrs",
    "read_cells",
    "read_explanations",
    "read_outlets",
    "read_recharges",
    "read_sales",
    "read_settlements",
    "read_subscribers",
    "read_usage",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("chanfp")
    elif name in _MODULE_OF:
        value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
