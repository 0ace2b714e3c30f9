"""Chains: the numbers of one person over time, old, new and newer, from the matches of many runs.

Candidates of all runs become vertices and edges, conflicts are resolved one to one, and what is
left are paths: a person each.
"""

from .linking import link_chains
from .result import Chains

__all__ = ["Chains", "link_chains"]
