"""Rivalry: what a pair's probability is divided up among."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ..fingerprints import Fingerprints
from ..judgement import Judgement

__all__ = ["RIVAL_SCHEMA", "Rivalry"]

RIVAL_SCHEMA = pa.schema(
    [
        ("who", pa.string()),
        ("number", pa.string()),
        ("log_odds", pa.float64()),
        ("share", pa.float64()),
    ]
)
# Who may stand in the column `who`.
PAIR, OF_NEW, OF_OLD, SAME_PERSON, NOBODY, OTHERS, IN_USE = (
    "pair",
    "same-new",
    "same-old",
    "same-person",
    "nobody",
    "others",
    "in-use",
)
LEAST_OTHERS = 5e-4


class Rivalry:
    """Lists the rivals of pairs.

    Parameters
    ----------
    fingerprints : Fingerprints
    judgement : Judgement
    """

    def __init__(self, fingerprints: Fingerprints, judgement: Judgement) -> None:
        self.judgement = judgement
        self.new_ids: npt.NDArray[np.object_] = _texts(fingerprints.new.ids)
        self.pool_ids = np.concatenate(
            [_texts(fingerprints.old.ids), _texts(fingerprints.control_old.ids)]
        )

    def rows(self, pair: int) -> list[dict[str, Any]]:
        """Return the rows of `RIVAL_SCHEMA` for a pair.

        The pair first, then the strongest others for the same new and the same old number, nobody,
        and all others; their ``share`` adds up to 1, and that of the pair is its probability.
        Other numbers that are probably the same person's, and don't rival, follow without a share;
        subscriptions still in use, which nobody can have left, come last.
        """
        judged = self.judgement
        new_row, old_row = int(judged.new_rows[pair]), int(judged.old_rows[pair])
        log_odds, probability = float(judged.log_odds[pair]), float(judged.probability[pair])

        def share(other: float) -> float:
            return min(math.exp(other - log_odds) * probability, 1.0)

        linked: list[dict[str, Any]] = []
        found = [self._row(PAIR, self.pool_ids[old_row], log_odds, probability)]
        for rival in judged.rivals.for_new(new_row, old_row):
            number = self.pool_ids[rival.pool_row]
            if rival.is_linked:
                linked.append(self._row(SAME_PERSON, number, rival.log_odds, None))
            else:
                found.append(self._row(OF_NEW, number, rival.log_odds, share(rival.log_odds)))
        for rival in judged.rivals.for_old(new_row, old_row):
            number = self.new_ids[rival.new_row]
            if rival.is_linked:
                linked.append(self._row(SAME_PERSON, number, rival.log_odds, None))
            else:
                found.append(self._row(OF_OLD, number, rival.log_odds, share(rival.log_odds)))
        nobody = math.log(judged.rivals.nobody)
        found.append(self._row(NOBODY, None, nobody, share(nobody)))
        rest = 1.0 - sum(row["share"] for row in found)
        if rest < 0:
            # Some are one person's in part and rival less than their odds say.
            scale = (1.0 - probability) / (1.0 - probability - rest)
            found = [found[0], *({**row, "share": row["share"] * scale} for row in found[1:])]
        if rest > LEAST_OTHERS:
            found.append(self._row(OTHERS, None, None, rest))
        in_use = (
            self._row(IN_USE, self.pool_ids[rival.pool_row], rival.log_odds, None)
            for rival in judged.rivals.in_use(new_row)
        )
        return [*found, *linked, *in_use]

    def _row(
        self, who: str, number: str | None, log_odds: float | None, share: float | None
    ) -> dict[str, Any]:
        return dict(zip(RIVAL_SCHEMA.names, (who, number, log_odds, share), strict=True))


def _texts(ids: pa.Array) -> npt.NDArray[np.object_]:
    return np.array(ids.to_pylist(), object)
