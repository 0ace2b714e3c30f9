"""The facade: fit fingerprints, match, explain."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .blocks import Progress, usable_threads
from .clock import DAY_S
from .corroboration import agrees
from .errors import ParameterError
from .evidence import LINKS, collect_evidence
from .explanation import NESTED
from .fingerprints import Fingerprints
from .grading import SimilarityTiers
from .judgement import Judgement, make_pairs
from .matches import MATCH_SCHEMA, Matches, make_match_table
from .model import MatchModel
from .own_evidence import check_own_evidence
from .pairs import Pairs
from .partner_evidence import PartnerEvidence
from .policy import ASKED, GradePolicy
from .profiles import read_cell_regions
from .rounds import MIN_CONTROLS, judge
from .similarity_rounds import find_similar
from .trust import decoy_notices, tiers_notice, trust_summary

__all__ = ["Matcher"]

MOST_ROUNDS = 20
LEARNED_COLUMNS = (
    "probability", "q_value", "expected_shared", "expected_jaccard", "margin_new", "margin_old",
)  # fmt: skip


class Matcher:
    """Finds the departed subscription behind each new one.

    Parameters
    ----------
    top : int, default 5
        Candidates kept per new subscription.
    min_shared : int, optional
        List only candidates that share at least this many partners, where nothing is learned after
        renaming. Default: list all, and grade those that share fewer than the tiers ask for U,
        ``thin-evidence``.
    policy : GradePolicy, optional
        What each grade asks for, where a false-match rate is known.
    tiers : SimilarityTiers, optional
        What each grade asks for where none is known.
    learn : bool, default True
        Learn from active subscriptions, where there are at least 40 to learn from; False always
        grades by similarity tiers.
    n_rounds : int, default 2
        Collective rounds: how often partners who probably came back themselves are taken for
        whom they were, and everything is judged again; those with a clear match where grades are
        similarity tiers.
    one_to_one : bool, default False
        List every old number at most once, with the new one that it goes to, so that as many
        matches as can be expected are right; similarity tiers don't take it.
    model : MatchModel or path, optional
        Coefficients of another month; default fit them.
    cells : whatever `chanfp.read_subscribers` takes, optional
        Table ``cell, region``: fills ``region_new`` and ``region_old``.
    own_evidence : dict of str to compiled function, optional
        Measures of your own by column name, as in `measure_pairs`: one more column of the matches
        each.
    n_threads : int, optional
        Default every usable core; the result doesn't depend on it.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Raises
    ------
    ParameterError
        If a setting is out of range.

    Examples
    --------
    >>> matches = Matcher(top=3).fit(fingerprints).match()  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        top: int = 5,
        min_shared: int | None = None,
        policy: GradePolicy | None = None,
        tiers: SimilarityTiers | None = None,
        learn: bool = True,
        n_rounds: int = 2,
        one_to_one: bool = False,
        model: MatchModel | str | os.PathLike[str] | None = None,
        cells: Any = None,
        own_evidence: Mapping[str, Any] | None = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        for name, value in (("top", top), ("min_shared", min_shared)):
            if value is not None and (not isinstance(value, int | np.integer) or value < 1):
                raise ParameterError(
                    f"`{name}` must be a whole number of at least 1, got {value!r}."
                )
        if not isinstance(n_rounds, int | np.integer) or not 0 <= n_rounds <= MOST_ROUNDS:
            raise ParameterError(
                f"`n_rounds` must be a whole number from 0 to {MOST_ROUNDS}, got {n_rounds!r}."
            )
        self.policy = policy if policy is not None else GradePolicy()
        self.learn = learn
        self.n_rounds = int(n_rounds)
        self.one_to_one = one_to_one
        self.given_model = MatchModel.load(model) if isinstance(model, str | os.PathLike) else model
        self.model: MatchModel | None = self.given_model
        self.top = top
        self.min_shared = min_shared
        self.tiers = tiers if tiers is not None else SimilarityTiers()
        if min_shared is not None:
            self.tiers = replace(self.tiers, min_shared=min_shared)
            self.policy = replace(self.policy, min_shared=min_shared)
        self.region_of_cell = None if cells is None else read_cell_regions(cells)
        check_own_evidence(own_evidence, [*MATCH_SCHEMA.names, *PartnerEvidence.names(), *NESTED])
        self.own_evidence = dict(own_evidence or {})
        self.n_threads = usable_threads(n_threads)
        self.progress = progress
        self._fingerprints: Fingerprints | None = None

    def __repr__(self) -> str:
        fitted = "not fitted" if self._fingerprints is None else f"fitted on {self._fingerprints}"
        return f"<Matcher: top {self.top}; {fitted}>"

    def fit(self, fingerprints: Fingerprints) -> Matcher:
        """Take the fingerprints to match; return the matcher itself.

        Raises
        ------
        ParameterError
            If they are no `Fingerprints`.
        """
        if not isinstance(fingerprints, Fingerprints):
            raise ParameterError(
                "`fingerprints` must be what `chanfp.build_fingerprints` returns, got "
                f"{type(fingerprints).__name__}."
            )
        self._fingerprints = fingerprints
        return self

    def match(self) -> Matches:
        """Return the best candidates of each new subscription.

        Returns
        -------
        Matches
            Ordered by new subscription and rank. Ranks follow ``probability``; where there are too
            few active subscriptions to learn from, ``expected_jaccard``, then that weighted by
            calls and rarity, then the old number, and ``summary["notices"]`` says that no
            false-match rate is known. Without rows where nobody is departed or nobody is new.

        Raises
        ------
        ParameterError
            If the matcher was not fitted.

        Notes
        -----
        A candidate must have been seen before the new subscription began.
        """
        fingerprints = self._fingerprints
        if fingerprints is None:
            raise ParameterError("the matcher has no fingerprints yet; call `fit` before `match`.")
        judgement = self._judge(fingerprints) if self.learn else None
        self.model = None if judgement is None else judgement.model
        if judgement is None:
            pairs, renames = find_similar(
                fingerprints,
                self.tiers,
                top=self.top,
                min_shared=self.min_shared,
                n_rounds=self.n_rounds,
                n_threads=self.n_threads,
                progress=self.progress,
            )
        else:
            renames = judgement.renames
            judgement, pairs = make_pairs(judgement, fingerprints, self.min_shared, self.n_threads)
        columns = collect_evidence(
            fingerprints,
            pairs,
            region_of_cell=self.region_of_cell,
            own_evidence=self.own_evidence,
            profiles=None if judgement is None else judgement.profiles,
            n_threads=self.n_threads,
            progress=self.progress,
        )
        if judgement is not None:
            # Everybody's cells and hours are needed no more.
            judgement = replace(judgement, profiles=None)
        self._grade(columns, pairs, judgement)
        table = make_match_table(columns, len(pairs), self.own_evidence)
        return Matches(
            table,
            self._summary(fingerprints, table, judgement),
            fingerprints,
            pairs.a_rows.tolist(),
            pairs.b_rows.tolist(),
            judgement,
            self.policy.additional_score,
            renames,
        )

    def model_table(self) -> pa.Table:
        """Return the coefficients of the model, one row per feature, strongest first.

        Raises
        ------
        ParameterError
            If nothing was learned yet, or there was too little to learn from.
        """
        if self.model is None:
            raise ParameterError(
                "there is no model; call `match` on fingerprints with at least "
                f"{MIN_CONTROLS} active subscriptions first."
            )
        return self.model.table()

    def _judge(self, fingerprints: Fingerprints) -> Judgement | None:
        return judge(
            fingerprints,
            n_rounds=self.n_rounds,
            top=self.top,
            one_to_one=self.one_to_one,
            model=self.given_model,
            region_of_cell=self.region_of_cell,
            n_threads=self.n_threads,
            progress=self.progress,
        )

    def _grade(self, columns: dict[str, Any], pairs: Pairs, judgement: Judgement | None) -> None:
        """Fill in grades, reasons and, where they are known, probabilities and rates."""
        n_calls = np.minimum(columns["n_calls_new"], columns["n_calls_old"])
        if judgement is None:
            columns["expected_shared"], columns["expected_jaccard"] = pairs.n_shared, pairs.jaccard
            graded = self.tiers.grade(pairs.jaccard, pairs.n_shared, n_calls)
        else:
            for name in LEARNED_COLUMNS:
                columns[name] = getattr(judgement, name)
            known = {
                name: agrees(name, columns[name]).to_pylist() for name in ASKED if name in columns
            }
            graded = self.policy.grade(
                judgement.q_value,
                judgement.expected_shared,
                n_calls,
                judgement.active_score,
                known,
            )
        columns["grade"], columns["reason"] = graded

    def _summary(
        self, fingerprints: Fingerprints, table: pa.Table, judgement: Judgement | None
    ) -> dict[str, Any]:
        best = table.filter(pc.equal(table.column("rank"), 1))
        grades, links = (Counter(best.column(name).to_pylist()) for name in ("grade", "link"))
        notices = _role_notices(fingerprints)
        if not table.num_rows and not notices:
            notices.append("no new subscription shares enough partners with a departed one")
        if table.num_rows and judgement is None:
            notices.append(
                tiers_notice(len(fingerprints.control_old), MIN_CONTROLS, learns=self.learn)
            )
        elif judgement is not None:
            notices.extend(decoy_notices(judgement, self.policy))
        if table.num_rows and not fingerprints.cdrs.is_rereadable:
            notices.append(
                "the CDRs could be read only once, so cells, hours, days and handsets were not "
                "compared and grades rest on partners alone; give files or tables for better ones"
            )
        if self.region_of_cell is not None and table.num_rows:
            unknown = table.column("region_new").null_count + table.column("region_old").null_count
            if unknown == 2 * table.num_rows:
                notices.append("no cell of the CDRs is in the table of cells")
        return {
            **fingerprints.summary(),
            "candidates": table.num_rows,
            "new_with_candidate": best.num_rows,
            "grades": dict(sorted(grades.items())),
            "links": {link: links[link] for link in LINKS},
            **trust_summary(best, judgement, self.policy),
            "notices": notices,
        }


def _role_notices(fingerprints: Fingerprints) -> list[str]:
    """Say where roles are empty, and which setting leaves many subscriptions out."""
    roles, settings = fingerprints.roles, fingerprints.settings
    new_days = settings.window_days if settings.new_days is None else settings.new_days
    notices = []
    if not len(fingerprints.old):
        notices.append(
            f"all {roles.n_beyond_horizon:,} departed subscriptions lie beyond `horizon_days`"
            if roles.n_beyond_horizon
            else "no departed subscription has calls, so there is nobody to match with"
        )
    if not len(fingerprints.new) and not roles.n_began_earlier:
        notices.append("no new subscription has calls, so there is nobody to match")
    if roles.n_began_earlier:
        activity = fingerprints.activity
        all_days = math.ceil((activity.reference_s - activity.start_s) / DAY_S)
        notices.append(
            f"{roles.n_began_earlier:,} more subscriptions began within these records, but more "
            f"than {new_days:g} days before their end; a larger `new_days` takes them in, "
            f"{all_days} all of them"
        )
    return notices
