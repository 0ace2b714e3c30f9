"""Audit: what the matches say of outlets and sellers, and what follows for commission.

Sales hang in a tree of outlets; every figure is a whole number of something for each sale, summed
from the leaves to the root, so that it adds up exactly at every level.
"""

from .auditing import audit_outlets
from .result import OutletAudit

__all__ = ["OutletAudit", "audit_outlets"]
