"""What lessons 05 and 06 or the README quote from records and cards is what these give."""

import itertools
import json
import re

import nbformat
import pytest

from facelab.studies.ablation import facemask_variants, record, table

INTERVAL = re.compile(r"([+−-]?\d+\.\d+)(?: dB)?\s+\[([+−-]?\d+\.\d+), ([+−-]?\d+\.\d+)\]")


def rounded(*values: float) -> set[tuple[str, ...]]:
    """A triple as prose may write it: two or three digits."""
    return {tuple(f"{value:.{digits}f}" for value in values) for digits in (2, 3)}


@pytest.fixture(scope="module")
def known():
    """Every (difference, low, high) of the records, to the parent and to every variant that prose holds against."""
    found = set()
    for data, metric, to in itertools.product(("orl", "lfw"), table.METRICS, ("", "base", "loud", "loud, DRAGAN")):
        for line in table.lines(record.recorded(data), metric=metric, to=to):
            found |= rounded(line.difference, line.low, line.high)
    return found


@pytest.fixture(scope="module")
def known_06():
    records = [record.recorded(data, "06") for data in ("orl", "lfw")]
    found = set()
    for content in records:
        for metric in table.measured(content):
            for to in ("", "never told"):
                for line in table.lines(content, facemask_variants.VARIANTS, metric, to):
                    found |= rounded(line.difference, line.low, line.high)
    return found


def quoted(text: str) -> list[tuple[str, ...]]:
    return [tuple(f"{float(part.replace('−', '-')):.{len(part.split('.')[1])}f}" for part in match)
            for match in INTERVAL.findall(text)]  # fmt: skip


def test_the_pattern_reads_both_ways_of_writing():
    text = "+0.05 [−0.51, +0.64]; 1.92 dB [1.53, 2.31]; a list [1, 2]"
    assert quoted(text) == [("0.05", "-0.51", "0.64"), ("1.92", "1.53", "2.31")]


def test_lesson_05_quotes_its_record(repo, known):
    notebook = nbformat.read(repo / "notebooks" / "05_oagan_ablations.ipynb", 4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown").replace("\n", " ")
    assert len(quoted(prose)) > 8
    assert not [one for one in quoted(prose) if one not in known]


def prose_06(repo) -> str:
    notebook = nbformat.read(repo / "notebooks" / "06_mask_removal.ipynb", 4)
    return " ".join(" ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown").split())


def test_lesson_06_quotes_its_laptop_run(repo):
    prose, m = prose_06(repo), json.loads((repo / "notebooks/figures/06_results.json").read_text(encoding="utf-8"))
    ours, mean, raw = (m["rows"][name] for name in ("mask removal", "mean face in the true hole", "untrained"))
    gain, wrong = ours["psnr_gain"], m["wrong_hole"]
    for claim in (
        f"gains {gain['mean']:.1f} dB [{gain['low']:.1f}, {gain['high']:.1f}] on its input",
        f"{gain['mean'] - mean['psnr_gain']['mean']:.1f} dB more than the *mean face",
        f"IoU {ours['iou']['mean']:.2f}. So nearly",
        f"is {ours['sharpness']['mean']:.2f} against the mean face's {mean['sharpness']['mean']:.2f}",
        f"*untrained* has {raw['sharpness']['mean']:.1f}",
        f"the right hole {wrong['right']:.1f}, the one that was found {wrong['found']:.1f}, two pixels too large "
        f"{wrong['too large']:.1f}, shifted {wrong['aside']:.1f}, two pixels too small {wrong['too small']:.1f}, "
        f"half of it missing {wrong['half missing']:.1f}",
        f"lie {wrong['right'] - wrong['found']:.1f} dB",
        f"(IoU {m['toy']['iou']:.2f}), and the columns run on: {m['toy']['ours']:.0f} dB, where the mean curtain in "
        f"the true hole has {m['toy']['mean curtain in the true hole']:.0f}",
    ):
        assert claim in prose, claim


def test_lesson_06_quotes_the_card(repo):
    prose = prose_06(repo)
    part = prose[prose.index("### The reference run") : prose.index("## Exercises")]
    card = json.loads((repo / "weights/mask_removal.json").read_text(encoding="utf-8"))
    found, (near, far) = card["metrics"]["natural"], card["metrics"]["trials"].values()
    ours, l1 = near["rows"]["mask_removal"], near["rows"][next(iter(card["beside"]))]
    strange, mean = far["rows"]["mask_removal"], lambda row, key, digits=2: f"{row[key]['mean']:.{digits}f}"
    share = lambda entry: f"{entry:.1%}".replace("%", " %")  # noqa: E731
    for claim in (
        f"{mean(l1, 'psnr')} against {mean(ours, 'psnr')} dB",
        f"sharpness rises from {mean(l1, 'sharpness')} to {mean(ours, 'sharpness')}",
        f"Fréchet distance falls from {mean(l1, 'frechet', 0)} to {mean(ours, 'frechet', 0)}",
        f"from {mean(l1, 'frechet_second', 0)} to {mean(ours, 'frechet_second', 0)}",
        f"by {mean(ours, 'identity_gain', 3)} of a distance of {mean(near['rows']['input'], 'identity')}",
        f"{mean(strange, 'psnr')} dB, and the restored face lies *farther* from its person than the masked one, by "
        f"{-strange['identity_gain']['mean']:.3f}",
        f"asked of {found['count']} photographs",
        f"{round(found['share'] * found['count'])} holes pass, {share(found['share'])} [{share(found['low'])}, "
        f"{share(found['high'])}]",
        f"face in {found['face_after']['share']:.0%} of the results, where it found one in "
        f"{found['face_before']['share']:.0%} of the photographs".replace("%", " %"),
    ):
        assert claim in part, claim


def test_lesson_06_quotes_its_record(repo, known_06):
    prose = prose_06(repo)
    part = prose[prose.index("### What the parts are worth") : prose.index("### The reference run")]
    assert len(quoted(part)) > 2
    assert not [one for one in quoted(part) if one not in known_06]


def test_the_readme_quotes_the_records(repo, known, known_06):
    text = (repo / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    first, second, end = "**Which critic?**", "**Which parts take a mask off?**", "## The library in fifteen lines"
    for part, found in ((text[text.index(first) : text.index(second)], known),
                        (text[text.index(second) : text.index(end)], known_06)):  # fmt: skip
        assert quoted(part) and not [one for one in quoted(part) if one not in found]
