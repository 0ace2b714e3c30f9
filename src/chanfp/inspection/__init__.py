"""Inspection: a first look at call records before anything is matched."""
