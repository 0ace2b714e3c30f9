"""The model: how much each feature of a pair says for or against one person behind both.

Logistic regression, learned from controls. Cross-fitted: each old number, departed or decoy, is
judged by coefficients that were fitted without it (Granholm, Noble, Käll, BMC Bioinformatics 13
S16:S3, 2012, do so for target and decoy peptides), so every control can be a decoy too.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .errors import DataError, ParameterError
from .features import FEATURES

__all__ = ["N_FOLDS", "MatchModel", "RoundModel"]

FORMAT = "chanfp.model"
FORMAT_VERSION = 2
# Versions that differ in the features they know, which a file names.
READABLE_VERSIONS = (1, 2)
N_FOLDS = 10
# Strength of regularisation, on features of unit variance.
REGULARISATION = 0.3
MAX_STEPS = 3000
MOST_TRAINING_PAIRS = 200_000
# Beyond this, odds say no more.
MOST_LOG_ODDS = 30.0
# Last places of sums may differ between machines; ranks must not hang on them.
DECIMALS = 9


@dataclass(frozen=True, eq=False)
class RoundModel:
    """Coefficients of one round.

    Parameters
    ----------
    mean, scale : float64 array, shape (n_features,)
        Of the training pairs; features are standardised by them.
    coefficients : float64 array, shape (n_folds, n_features)
    intercepts : float64 array, shape (n_folds,)
    """

    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    coefficients: npt.NDArray[np.float64]
    intercepts: npt.NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        values: npt.NDArray[np.float64],
        is_true: npt.NDArray[np.bool_],
        folds: npt.NDArray[np.int64],
    ) -> RoundModel | None:
        """Learn from labelled pairs.

        Parameters
        ----------
        values : float64 array, shape (n_pairs, n_features)
            NaN where evidence is missing; that counts as neither for nor against.
        is_true : bool array, shape (n_pairs,)
        folds : int64 array, shape (n_pairs, 2)
            Fold of the query and of the old number; a fold is fitted without either.

        Returns
        -------
        RoundModel or None
            None where the pairs of some fold are all true or all false.
        """
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        if not len(values):
            return None
        step = -(-len(values) // MOST_TRAINING_PAIRS)
        # Every true pair, and each so-many-th false one.
        kept = is_true | (np.arange(len(values)) % step == 0)
        values, is_true, folds = values[kept], is_true[kept], folds[kept]
        weights = np.where(is_true, 1.0, float(step))
        known = ~np.isnan(values)
        n_known = np.maximum(np.count_nonzero(known, axis=0), 1)
        mean = np.where(known, values, 0.0).sum(axis=0) / n_known
        scale = np.sqrt(np.where(known, (values - mean) ** 2, 0.0).sum(axis=0) / n_known)
        scale[scale < 1e-9] = 1.0
        standard = np.nan_to_num((values - mean) / scale)
        found = []
        with threadpool_limits(limits=1):
            for fold in range(N_FOLDS):
                rows = (folds != fold).all(axis=1)
                if len(np.unique(is_true[rows])) < 2:
                    return None
                fitted = LogisticRegression(C=REGULARISATION, max_iter=MAX_STEPS).fit(
                    standard[rows], is_true[rows], weights[rows]
                )
                found.append((fitted.coef_[0], fitted.intercept_[0]))
        coefficients, intercepts = zip(*found, strict=True)
        return cls(mean, scale, np.array(coefficients), np.array(intercepts))

    def log_odds(
        self, values: npt.NDArray[np.float64], folds: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Return the log-odds of pairs, rounded to 9 decimals, within ±30.

        Parameters
        ----------
        values : float64 array, shape (n_pairs, n_features)
        folds : int64 array, shape (n_pairs,)
            Fold of the old number of each.
        """
        found = np.empty(len(values))
        for fold in range(len(self.intercepts)):
            rows = np.flatnonzero(folds == fold)
            found[rows] = self.intercepts[fold] + self.contributions(values[rows], fold).sum(axis=1)
        return np.clip(np.round(found, DECIMALS), -MOST_LOG_ODDS, MOST_LOG_ODDS)

    def contributions(self, values: npt.NDArray[np.float64], fold: int) -> npt.NDArray[np.float64]:
        """Return what each feature adds to the log-odds, shape (n_pairs, n_features)."""
        standard = np.nan_to_num((values - self.mean) / self.scale)
        return np.asarray(standard * self.coefficients[fold], np.float64)


@dataclass(frozen=True, eq=False)
class MatchModel:
    """The models of all rounds of one run; saved as JSON and loadable for another month.

    Parameters
    ----------
    rounds : list of RoundModel
        The first judges plain partner lists, the others lists with probable renamings.
    """

    rounds: list[RoundModel]

    def table(self) -> pa.Table:
        """Return the coefficients of the last round, one row per feature, strongest first.

        Columns ``feature, meaning, coefficient`` (per standard deviation, mean of the folds),
        ``spread`` (standard deviation over the folds), ``mean, scale``.
        """
        last = self.rounds[-1]
        mean = last.coefficients.mean(axis=0)
        table = pa.table(
            {
                "feature": list(FEATURES),
                "meaning": list(FEATURES.values()),
                "coefficient": mean,
                "spread": last.coefficients.std(axis=0),
                "mean": last.mean,
                "scale": last.scale,
            }
        )
        return table.take(pa.array(np.argsort(-np.abs(mean), kind="stable")))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as JSON.

        Raises
        ------
        DataError
            If it can't be written there.
        """
        rounds = [
            {
                "mean": one.mean.tolist(),
                "scale": one.scale.tolist(),
                "coefficients": one.coefficients.tolist(),
                "intercepts": one.intercepts.tolist(),
            }
            for one in self.rounds
        ]
        content = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "features": list(FEATURES),
            "rounds": rounds,
        }
        try:
            with open(path, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.write("\n")
        except OSError as error:
            raise DataError(f"{os.fspath(path)}: {error.strerror}; give another path.") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MatchModel:
        """Read a model that `save` wrote.

        Raises
        ------
        DataError
            If the file is missing, is no model, or one of features that this version doesn't have.

        Notes
        -----
        Features that the file doesn't have contribute nothing.
        """
        name = os.fspath(path)
        try:
            with open(path, encoding="utf-8") as file:
                content: Any = json.load(file)
        except OSError as error:
            raise DataError(f"{name}: {error.strerror}.") from error
        except ValueError as error:
            raise DataError(f"{name}: no JSON, {error}; give what `save` wrote.") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise DataError(f"{name}: no model of chanfp; give what `save` wrote.")
        features: Any = content.get("features")
        is_known = isinstance(features, list) and set(map(str, features)) <= set(FEATURES)
        if content.get("version") not in READABLE_VERSIONS or not is_known:
            raise DataError(
                f"{name}: a model of version {content.get('version')} with other features than "
                f"this chanfp's version {FORMAT_VERSION}; fit one anew."
            )
        try:
            rounds = [_read_round(one, features) for one in content["rounds"]]
            check_rounds(rounds)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{name}: a damaged model ({error}); fit one anew.") from error
        return cls(rounds)


def _read_round(content: dict[str, Any], features: list[str]) -> RoundModel:
    """Return a round from its JSON, its features in their places among all features."""
    arrays = {name: np.asarray(values, np.float64) for name, values in content.items()}
    places = [list(FEATURES).index(name) for name in features]
    for name, missing in (("mean", 0.0), ("scale", 1.0), ("coefficients", 0.0)):
        given = arrays[name]
        arrays[name] = np.full((*given.shape[:-1], len(FEATURES)), missing)
        arrays[name][..., places] = given
    return RoundModel(arrays["mean"], arrays["scale"], arrays["coefficients"], arrays["intercepts"])


def check_rounds(rounds: list[RoundModel]) -> None:
    """Refuse models whose arrays don't fit together."""
    n_features = len(FEATURES)
    shapes = [(n_features,), (n_features,), (N_FOLDS, n_features), (N_FOLDS,)]
    for one in rounds:
        arrays = (one.mean, one.scale, one.coefficients, one.intercepts)
        if [array.shape for array in arrays] != shapes:
            raise ParameterError(f"a round needs arrays of the shapes {shapes}.")
    if not rounds:
        raise ParameterError("a model needs at least one round.")
