"""The slow, obvious twin of each kernel: what the fast one must give, bit for bit.

Nothing here is called by the library; tests compare the kernels of `chanfp._core` against it.
"""

from __future__ import annotations
