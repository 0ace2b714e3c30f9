# The heap of the C library, which keeps what is freed between two blocks in use.

cdef extern from *:
    """
    #include <stdlib.h>
    #if defined(__GLIBC__)
    #include <malloc.h>
    #define chanfp_trim_heap() ((void)malloc_trim(0))
    #else
    #define chanfp_trim_heap() ((void)0)
    #endif
    """
    void chanfp_trim_heap() noexcept nogil


def trim_heap():
    """Give freed memory back to the system, where the C library can."""
    with nogil:
        chanfp_trim_heap()
