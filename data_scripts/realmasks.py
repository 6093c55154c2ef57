"""Photographs with and without face masks: check the two folders you placed, list."""

import sys

from facelab.data.get import main

if __name__ == "__main__":
    sys.exit(main("realmasks"))
