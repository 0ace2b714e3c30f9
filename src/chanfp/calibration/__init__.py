"""Calibration: how far probabilities and false-match rates can be trusted."""

from __future__ import annotations

from .calibration import Calibration, check_calibration_output

__all__ = ["Calibration", "check_calibration_output"]
