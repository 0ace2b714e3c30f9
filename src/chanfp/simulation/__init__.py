"""A made-up carrier with known truth: records, subscribers, sales, outlets, cells.

`simulate` draws one city's customers and their calls. The same seed gives the same bytes on every
machine, for any number of threads and any size of batch; days are drawn one by one, so the
records never have to fit into memory.

Published figures behind the defaults:

* 54 records per customer and month, calls and messages together, heavy-tailed over customers
  (Lambiotte et al. 2008). Partner counts are neither lognormal nor a pure power law (Seshadri et
  al., KDD 2008): two lognormal factors, one for ties and one for calls per tie.
* Ties end after a life that falls off as a power law and grows with their weight: below 40 % of
  new weak ties outlast 15 days, above 20 % of all outlast a year (Hidalgo & Rodriguez-Sickert 2008;
  Raeder et al. 2011). A new tie takes the weight of the one it replaces, so each person's
  rank-weight curve persists while partners turn over (Saramäki et al., PNAS 111:942, 2014).
* Weak ties may go mostly one way, strong ones are returned; the weight of a tie decides how likely
  it follows its person to a new number (Hidalgo & Rodriguez-Sickert 2008).
* Hotlines, couriers and telesales reach very many, while 90 % of numbers have an in-degree of 8 or
  less (Becker, Volinsky, Wilks, Technometrics 52, 2010); robots and telesales are a few per cent of
  the busiest numbers (Jiang et al., PNAS 2013).
* A returner is who replaces a number wholly or partly by another of the same branch; a wanderer
  does so at least twice in half a year; one card with two numbers is excluded (China Mobile data
  interface 02038, 2012), so additional numbers have no old number in the truth.
* Same identity card, same name, same handset, same dealer and the state of the old number stand in
  the monthly re-entry mart of Hubei Mobile (2004); each is planted as evidence that helps often
  and misleads sometimes: cards of relatives and dealers, handsets sold on.
* Newcomers sit in the same families, villages and workplaces as leavers, and some follow a leaver
  into a household or shop and keep up its contacts; without them every method looks perfect.

No published figure stands behind the other constants: gaps (median 4 days, up to half of the
span), overlaps (8 %), shares of handsets kept (60 %), late closures (up to 90 days) and early
activations (up to 60 days). They stand in capitals at the head of the module they belong to, or
are arguments of `simulate`.
"""

from .carrier import SimulatedCarrier, simulate
from .records import CDR_SCHEMA, CdrStream

__all__ = ["CDR_SCHEMA", "CdrStream", "SimulatedCarrier", "simulate"]
