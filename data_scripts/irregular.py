"""Irregular holes (NVIDIA's, QD-IMD): unpack what was placed, tell which colour is hidden, check, list."""

import sys

from facelab.data.get import main

if __name__ == "__main__":
    sys.exit(main("irregular"))
