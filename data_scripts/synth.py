"""Rendered heads: nothing to get; ``--people N --size S --out DIR`` writes files in K-FACE's layout."""

import sys

from facelab.data.get import main

if __name__ == "__main__":
    sys.exit(main("synth"))
