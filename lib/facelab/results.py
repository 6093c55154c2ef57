"""The README's tables, generated from the cards in ``weights/`` and the ablation's records: they cannot drift."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from facelab.errors import BadWeights, LayoutError
from facelab.files import project_root, weights_root, write_text
from facelab.studies import recognition
from facelab.studies.ablation.record import recorded
from facelab.studies.ablation.subjects import SUBJECTS
from facelab.studies.ablation.summary import grid, summary
from facelab.studies.tasks import TASKS
from facelab.studies.trials import ANOTHER

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
ABLATIONS = {
    "oagan": ("ablation", ("orl", "lfw")),
    "mask_removal": ("ablation of mask_removal", ("orl", "lfw")),
    "frontalize": ("ablation of frontalize", ("synth:1500", "lfw:turned")),
    "vis2nir": ("ablation of vis2nir", ("synth:600:nir",)),
    "hog_inpaint": ("ablation of hog_inpaint", ("lfw",)),
}
"""System → the name of its markers, and the data on which its runs are recorded."""
RECOGNITION = "notebooks/figures/08_recognition.jsonl"
"""What a recogniser gains from translated pictures; between markers of its own."""
COLUMNS = (
    ("PSNR", "psnr", False),
    ("gain", "psnr_gain", True),
    ("PSNR in the hole", "psnr_hole", False),
    ("SSIM gain", "ssim_gain", True),
    ("hole IoU", "iou", True),
    ("identity gain", "identity_gain", True),
    ("sharpness", "sharpness", True),
    ("Fréchet", "frechet", False),
    ("Fréchet, second net", "frechet_second", False),
)
"""Heading, metric, and whether its interval is shown; the cards hold all of them."""
WHOLE = (("identity distance", "identity", True), ("rank-1", "rank1", True))
"""The same, further columns of systems that make whole pictures anew, where no table by yaw has them."""
BY_TRIAL = (("PSNR", "psnr"), ("Fréchet, second net", "frechet_second"))
"""Where the trials differ in one thing, such as the size of the hole: what is shown of all of them side by side."""
TURNED = (("PSNR", "psnr"), ("Identity distance", "identity"), ("Rank-1", "rank1"))
"""The same for faces that are turned aside, of each set by itself."""
LEGEND = (
    "PSNR in dB over the whole picture, gain over the input; identity gain: how much closer to the truth a face "
    "embedding lies than the input's, face by face; sharpness: 1 is the truth's; Fréchet on effnet-lite0's features, "
    "with which some of them were trained, and where measured on effnet-lite1's, with which none was: less is better, "
    "not comparable with published FID. SSIM, identity and the raw outputs stand in the cards."
)
TURNED_LEGEND = (
    "Rank-1: share of people whose answer is nearest to their own true frontal face among those of all people of the "
    "trial. Of turned photographs that is the very photograph that was turned, in the same light and with the same "
    "expression."
)
INFRARED_LEGEND = (
    "Rank-1 in near infrared: share of people whose answer is nearest to their own infrared picture among those of all "
    "people of the trial, by distance of face embeddings, which is the identity distance: less is better."
)
LEGENDS = {"frontalize": TURNED_LEGEND, "vis2nir": INFRARED_LEGEND}
"""What has to be said of the numbers of each system that makes whole pictures anew."""
BY_YAW = ("frontalize",)
"""Systems whose trials differ in how far heads are turned aside: of those the first is shown whole."""
TRUTHS = {
    "rendered": "truth rendered",
    "simulated": "truth simulated from the photograph",
    ANOTHER: "in the truth's place another picture of the same person",
}
"""What a trial says of its truth, and how that reads beside its numbers."""
NO_RECORD = "No record of this experiment is here."
NOTHING = "No measured weights are shipped yet; `facelab train oagan` makes your own."


def render(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """Cards by file name to Markdown: one table a system and trial, settings above it."""
    parts = [part for name, card in sorted(cards.items()) for part in _tables(name, card)]
    systems = [card.get("system") for card in cards.values()]
    legends = [words for system, words in LEGENDS.items() if system in systems]
    return "\n\n".join([*parts, LEGEND, *legends]) if parts else NOTHING


def _tables(name: str, card: Mapping[str, Any]) -> Iterator[str]:
    metrics = card.get("metrics") or {}
    trials, task = metrics.get("trials", {}), TASKS.get(str(card.get("system")))
    told, whole = (task.given, task.whole) if task else (False, False)
    turned = card.get("system") in BY_YAW
    for trial, part in list(trials.items())[: 1 if told or turned else None]:
        steps, data = card.get("steps"), metrics.get("data", card.get("data"))
        before = " after earlier runs (the card tells)" if card.get("continued_from") or card.get("start") else ""
        size = f", {metrics['size']} px" if "size" in metrics else ""
        what = task.what if task else "drawn occluders"
        what += f", {TRUTHS.get(truth, f'truth {truth}')}" if (truth := part.get("truth")) else ""
        yield (
            f"**{card.get('system', name)}, {trial}**: {part['count']} pictures of {part['people']} people of `{data}` "
            f"never seen in training{size}, {what}; {steps:,} steps{before} on "
            f"{card.get('device')}; one seed ({card.get('seed')}).\n\n"
            + _table(part["rows"], whole, WHOLE if whole and not turned else ())
        )
    if turned:
        for name, some in _by_set(trials, str(data)).items():
            yield from (f"{title} on `{name}`, by yaw:\n\n{_by_trial(some, key, True)}" for title, key in TURNED)
    if told and trials:
        yield from (f"{title}, by trial:\n\n{_by_trial(trials, key)}" for title, key in BY_TRIAL)
    for label, words in (card.get("beside") or {}).items():
        yield f"*{label}*: {words}"
    if "twins" in card:
        yield _pair(card["twins"]["trained kinds"])


def _pair(twins: Mapping[str, Mapping[str, Any]]) -> str:
    """The fair comparison in a sentence: two ends of one run, without and with the other terms."""
    (_, without), (_, all_terms) = twins.items()
    psnr, sharp, far = ([row[key]["mean"] for row in (without, all_terms)] for key in ("psnr", "sharpness", "frechet"))
    return (
        "A fair pair, one run finished twice from one checkpoint with as many steps (neither is this file): "
        f"perceptual, style and critic terms take PSNR from {psnr[0]:.2f} to {psnr[1]:.2f} dB, "
        f"sharpness from {sharp[0]:.2f} to {sharp[1]:.2f}, Fréchet from {far[0]:.1f} to {far[1]:.1f}."
    )


def _table(rows: Mapping[str, Mapping[str, Any]], whole: bool, further: Sequence[tuple[str, str, bool]] = ()) -> str:
    """A row a method; whole new pictures have no hole to measure, and may have ``further`` columns."""
    here = {key for row in rows.values() for key in row} - ({"psnr_hole"} if whole else set())
    used = [column for column in (*COLUMNS, *further) if column[1] in here]
    cells = {label: [_cell(row.get(key), key, more) for _, key, more in used] for label, row in _composites(rows)}
    return grid("", [title for title, _, _ in used], cells)


def _by_set(trials: Mapping[str, Mapping[str, Any]], data: str) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Set → label → trial; where sets were joined, a trial's label begins with its own."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for label, part in trials.items():
        name, yaw = label.split(", ", 1) if "+" in data else (data, label)
        found.setdefault(name, {})[yaw] = part
    return found


def _by_trial(trials: Mapping[str, Mapping[str, Any]], key: str, intervals: bool = False) -> str:
    """One metric: a row a method, a column a trial, in the order of the trials' labels."""
    labels, rows = sorted(trials), next(iter(trials.values()))["rows"]
    of = lambda name: [trials[label]["rows"][name].get(key) for label in labels]  # noqa: E731
    return grid("", labels, {
        name: [_cell(e, key, intervals or key == "psnr") for e in of(name)] for name, _ in _composites(rows)
    })  # fmt: skip


def _composites(rows: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Names and rows of what a user is given: no raw outputs."""
    return [(name, row) for name, row in rows.items() if not name.endswith(", raw")]


def _cell(entry: Mapping[str, Any] | None, key: str, interval: bool) -> str:
    if not entry or entry.get("mean") is None:
        return ""
    places = 2 if key.startswith("psnr") or key.startswith("frechet") else 3
    text = f"{entry['mean']:.{places}f}"
    low, high = entry.get("low"), entry.get("high")
    if not interval or low is None or high is None or low == high:
        return text
    return f"{text} [{low:.{places}f}, {high:.{places}f}]"


def read_cards(folder: Path) -> dict[str, dict[str, Any]]:
    """Every card of a folder of weights, by file stem.

    Raises:
        BadWeights: a card is not JSON.
    """
    cards = {}
    for path in sorted(folder.glob("*.json")):
        try:
            cards[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BadWeights(path, f"the card is not JSON ({error})", "Restore it from the repository.") from error
    return cards


def renewed(text: str, table: str, source: str | Path = "README.md", between: tuple[str, str] = (BEGIN, END)) -> str:
    """``text`` with everything between two markers replaced.

    Args:
        text: of the file. table: what goes between. source: the file, for the message. between: the markers.

    Raises:
        LayoutError: the markers are not there once each, in order.
    """
    first, last = between
    head, begin, rest = text.partition(first)
    _, end, tail = rest.partition(last)
    if not (begin and end) or first in rest or last in tail:
        raise LayoutError(source, f"{first} … {last} once", "something else", "Put both markers back.")
    return f"{head}{first}\n{table}\n{last}{tail}"


def up_to_date(text: str, source: str | Path = "README.md") -> str:
    """The README's text with every generated part made anew from the project's cards and records."""
    text = renewed(text, render(read_cards(weights_root())), source)
    for system, (name, datasets) in ABLATIONS.items():
        records = {data: recorded(data, SUBJECTS[system].lesson) for data in datasets}
        markers = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        text = renewed(text, summary(records, system), source, markers)
    found = recognition.read(project_root() / RECOGNITION)
    asked = recognition.summary(found["rows"], found["header"]["people"]) if found["rows"] else {}
    table = recognition.as_text(asked) if asked else NO_RECORD
    return renewed(text, table, source, ("<!-- recognition:begin -->", "<!-- recognition:end -->"))


def main() -> int:
    """Renew the project's README; ``python -m facelab.results``."""
    readme = project_root() / "README.md"
    write_text(readme, up_to_date(readme.read_text(encoding="utf-8"), readme))
    return 0


if __name__ == "__main__":
    sys.exit(main())
