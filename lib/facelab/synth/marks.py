"""Where the 68 landmarks lie on the mean head at rest, in millimetres.

Taught in: lesson 07.
"""

from __future__ import annotations

import numpy as np

_HALF = np.array([
    (-71.1, 8.0), (-70.4, -11.5), (-68.7, -30.5), (-66.0, -49.5), (-60.6, -68.5), (-50.4, -86.5),
    (-34.9, -102.3), (-18.7, -111.5), (0.0, -114.6),
    (-56.2, 15.6), (-46.0, 22.2), (-34.5, 23.6), (-21.5, 20.6), (-8.6, 15.2),
    (0.0, 2.5), (0.0, -10.4), (0.0, -22.4), (0.0, -35.2), (-14.4, -42.3), (-7.4, -46.0), (0.0, -47.4),
    (-41.8, 0.4), (-34.4, 5.4), (-25.4, 5.6), (-17.9, -0.9), (-26.0, -3.6), (-34.6, -3.5),
    (-27.0, -66.6), (-17.6, -62.6), (-7.4, -60.8), (0.0, -62.3), (-17.2, -74.2), (-8.1, -76.6), (0.0, -77.0),
    (-23.0, -66.6), (-7.7, -66.42), (0.0, -66.42), (-7.7, -66.78), (0.0, -66.78),
])  # fmt: skip
# Which of the rows above each of the 68 is, and whether mirrored.
_ORDER = [
    *((k, 0) for k in range(9)), *((k, 1) for k in range(7, -1, -1)),
    *((k, 0) for k in range(9, 14)), *((k, 1) for k in range(13, 8, -1)),
    *((k, 0) for k in range(14, 21)), (19, 1), (18, 1),
    *((k, 0) for k in range(21, 27)), (24, 1), (23, 1), (22, 1), (21, 1), (26, 1), (25, 1),
    *((k, 0) for k in range(27, 31)), (29, 1), (28, 1), (27, 1), (31, 1), (32, 1), (33, 0), (32, 0), (31, 0),
    (34, 0), (35, 0), (36, 0), (35, 1), (34, 1), (37, 1), (38, 0), (37, 0),
]  # fmt: skip
REST_MARKS = np.array([_HALF[row] * (-1, 1) if mirrored else _HALF[row] for row, mirrored in _ORDER])
"""(68, 2) mm, x to the image's right and y up, in the order of dlib's 68 points."""
