"""`python -m config.launcher`: what `make run` calls."""

import sys

from config.launcher.run import main

sys.exit(main(sys.argv[1:]))
