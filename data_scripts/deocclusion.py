"""Face-de-occlusion (Yuan and Park 2019): say how to get it, check that every pair has its truth, list."""

import sys

from facelab.data.get import main

if __name__ == "__main__":
    sys.exit(main("deocclusion"))
