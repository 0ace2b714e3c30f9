"""Imports point down one list, so that every module can be read knowing only those below."""

import ast
from pathlib import Path

import chanfp

PACKAGE = Path(chanfp.__file__).parent
# From top to bottom; a module imports only from below itself.
LAYERS = [
    "__init__",
    "__main__",
    "cli",
    "audit",
    "chains",
    "inspection",
    "matcher",
    "trust",
    "matches",
    "calibration",
    "explanation",
    "plotting",
    "policy",
    "similarity_rounds",
    "grading",
    "rounds",
    "judgement",
    "additional",
    "rivals",
    "outcomes",
    "pools",
    "renaming",
    "competition",
    "linking",
    "nearmisses",
    "decoys",
    "model",
    "evidence",
    "corroboration",
    "top_partners",
    "features",
    "contact_days",
    "habits",
    "profiles",
    "partner_evidence",
    "own_evidence",
    "candidates",
    "index",
    "indexfiles",
    "segments",
    "rowids",
    "similarity",
    "lsh",
    "ranking",
    "recall",
    "joins",
    "pairs",
    "planning",
    "plans",
    "bands",
    "costs",
    "joinsamples",
    "footprints",
    "buckets",
    "rarejoin",
    "overlaps",
    "postings",
    "signatures",
    "csr",
    "building",
    "fingerprints",
    "hubs",
    "partnerrows",
    "fading",
    "grouping",
    "timelines",
    "controls",
    "roles",
    "activity",
    "calls",
    "repeats",
    "memory",
    "spilling",
    "served",
    "subscribers",
    "subscriptions",
    "cdr",
    "cleaning",
    "screening",
    "mixtures",
    "exports",
    "areacodes",
    "span",
    "counts",
    "numberlists",
    "shortnumbers",
    "sidetables",
    "numbering",
    "clock",
    "headers",
    "zones",
    "tables",
    "text",
    "terminal",
    "keys",
    "simulation",
    "blocks",
    "errors",
    "_reference",
    "_core",
]


def imported_layers(path: Path) -> set[str]:
    """Return the layers that a module of the package imports."""
    inside = path.relative_to(PACKAGE).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = inside[: len(inside) - node.level + 1]
            parts = (*base, *(node.module or "").split("."))
            names = [part for part in parts if part] or [alias.name for alias in node.names]
            if parts == ("",):
                found.update(alias.name for alias in node.names)
            else:
                found.add(names[0])
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chanfp."):
            found.add(node.module.split(".")[1])
    return found


def test_every_module_has_a_layer():
    found = {
        path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")
    }
    assert found == set(LAYERS) - {"_core"}


def test_imports_point_down():
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        layer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for name in imported_layers(path):
            if layer in ("__init__", name):
                continue
            if LAYERS.index(name) <= LAYERS.index(layer):
                wrong.append(f"{layer} imports {name}")
    assert wrong == []


def test_kernels_import_nothing_of_the_package():
    for path in [PACKAGE / "_core.pyx", *(PACKAGE / "_kernels").glob("*.pxi")]:
        if path.exists():  # an installed package holds only the compiled kernels
            assert "chanfp" not in [
                line.split()[1].split(".")[0]
                for line in path.read_text(encoding="utf-8").splitlines()
                if line.startswith(("from ", "import "))
            ]
