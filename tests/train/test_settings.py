"""Types of settings."""

import dataclasses

import pytest

from facelab.errors import BadConfig
from facelab.train.settings import refuse_other_types


@dataclasses.dataclass(frozen=True)
class Settings:
    width: int = 8
    rate: float = 0.1
    twice: bool = False
    name: str = "unet"

    def __post_init__(self):
        refuse_other_types(self)


def test_defaults_and_whole_numbers_for_decimals_pass():
    assert Settings(width=16, rate=1, twice=True, name="other").rate == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("width", 8.0), ("width", True), ("width", "8"), ("rate", "x"), ("rate", float("nan")), ("rate", float("inf")),
     ("twice", "false"), ("twice", 0), ("name", None)],
)  # fmt: skip
def test_others_are_refused_by_name(field, value):
    with pytest.raises(BadConfig, match=field):
        Settings(**{field: value})
