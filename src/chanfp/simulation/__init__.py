from .carrier import SimulatedCarrier, simulate
from .records import CDR_SCHEMA, CdrStream

__all__ = ["CDR_SCHEMA", "CdrStream", "SimulatedCarrier", "simulate"]
