"""``python -m chanfp`` is the command ``chanfp``."""

from .cli import main

main()
