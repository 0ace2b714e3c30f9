"""The one door to compiled code.

Contract of every function here:

* Arguments are contiguous one-dimensional buffers of exactly the dtype named, read-only or not;
  callers convert. Offsets (`indptr`) are int64 everywhere, `indices` are int32 or int64.
* Outputs are made by the caller. A kernel takes `start, stop` rows and writes only its own slice.
* Nothing is checked here but what a kernel needs to stay inside its buffers; the Python module
  that calls a kernel checks its arguments and words the errors.
* The GIL is released for the whole loop, and the result doesn't depend on the threads or blocks.

Each kernel stands in a file of its own under `_kernels`, named after what it works on, and has a
slow twin in `chanfp._reference`.
"""

from libc.math cimport sqrt
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport qsort
from libc.string cimport memcpy

ctypedef fused index_t:
    int32_t
    int64_t

include "_kernels/heap.pxi"
include "_kernels/times.pxi"
include "_kernels/hashing.pxi"
include "_kernels/screen.pxi"
include "_kernels/days.pxi"
include "_kernels/gather.pxi"
include "_kernels/repeats.pxi"
include "_kernels/group.pxi"
include "_kernels/fields.pxi"
include "_kernels/ties.pxi"
include "_kernels/pages.pxi"
include "_kernels/digits.pxi"
include "_kernels/numbers.pxi"
include "_kernels/csr.pxi"
include "_kernels/postings.pxi"
include "_kernels/verify.pxi"
include "_kernels/overlaps.pxi"
include "_kernels/ranking.pxi"
include "_kernels/matches.pxi"
include "_kernels/bars.pxi"
include "_kernels/walks.pxi"
include "_kernels/best.pxi"
include "_kernels/refine.pxi"
include "_kernels/own.pxi"
include "_kernels/expected.pxi"
include "_kernels/minhash.pxi"
include "_kernels/lsh.pxi"
include "_kernels/met.pxi"
include "_kernels/listed.pxi"
