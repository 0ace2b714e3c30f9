"""The extension and its build switches; everything else stands in pyproject.toml.

CHANFP_DEBUG=1     kernels check every index (slow; for tests)
CHANFP_SANITIZE=1  kernels built under AddressSanitizer and UndefinedBehaviorSanitizer
"""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("CHANFP_DEBUG") == "1"
SANITIZE = os.environ.get("CHANFP_SANITIZE") == "1"

# -ffp-contract=off: a fused multiply-add rounds once where others round twice, and the same
# input must give the same bytes on every machine.
if sys.platform == "win32":
    compile_args, link_args = ["/O2", "/fp:precise"], []
else:
    compile_args, link_args = ["-O3", "-ffp-contract=off"], []
if SANITIZE:
    sanitizers = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    compile_args, link_args = [*compile_args, "-g", *sanitizers], sanitizers

kernel_sources = sorted(str(path) for path in Path("src/chanfp/_kernels").glob("*.[ph]*"))
core = Extension(
    "chanfp._core",
    ["src/chanfp/_core.pyx"],
    depends=kernel_sources,
    extra_compile_args=compile_args,
    extra_link_args=link_args,
)

setup(
    ext_modules=cythonize(
        [core],
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "wraparound": False,
            "initializedcheck": DEBUG,
            "cdivision": True,
            "embedsignature": True,
        },
    ),
)
