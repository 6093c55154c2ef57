"""Lesson 08's variants are the library's, and what it quotes is what its runs wrote."""

import ast
import dataclasses
import json
import re

import nbformat
import pytest
import torch

from facelab.errors import BadConfig
from facelab.studies import recognition, training
from facelab.studies.ablation import nir_variants, record, table, variants
from facelab.synth.infrared import NEAR
from facelab.systems import vis2nir
from facelab.systems.vis2nir.config import PLAIN
from facelab.train.weights import read_card

NAME = "08_vis_to_nir"
DATA = "synth:20:nir"
STUDIED = ("align", "equalise", "lambda_perceptual")
SHARE = re.compile(r"([+−-]?\d+\.\d+)(?: %| points?| dB)?\s+\[([+−-]?\d+\.\d+)(?: %)?, ([+−-]?\d+\.\d+)(?: %)?\]")


@pytest.fixture(scope="module")
def lesson(repo):
    return nbformat.read(repo / "notebooks" / f"{NAME}.ipynb", 4)


@pytest.fixture(scope="module")
def prose(lesson):
    return " ".join(" ".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown").split())


def between(text: str, start: str, end: str) -> str:
    return text[text.index(start) : text.index(end)]


def configured(lesson, variant: str, profile: str) -> vis2nir.Config:
    """The lesson's own lines, executed: from the parameters to its configuration."""
    (cell,) = [cell for cell in lesson.cells if "training.configure(" in cell.source and cell.cell_type == "code"]
    lines = [node for node in ast.parse(cell.source).body if isinstance(node, ast.Assign | ast.AugAssign)
             and ast.unparse(node).split(" ")[0] in ("study", "cfg")]  # fmt: skip
    names = {"vis2nir": vis2nir, "training": training, "VARIANT": variant, "PROFILE": profile, "DATA": DATA, "STEPS": 0}
    exec(compile(ast.Module(lines, []), NAME, "exec"), names)
    return names["cfg"]


@pytest.mark.parametrize("profile", ["smoke", "laptop", "gpu"])
@pytest.mark.parametrize("name", ["A", "B", "C", "ours"])
def test_a_variant_of_the_lesson_is_the_librarys(lesson, name, profile):
    mine, told = configured(lesson, name, profile), vis2nir.studied(name)
    theirs = variants.configuration(name, DATA, 10, nir_variants.VARIANTS, nir_variants.BASE, vis2nir.Config)
    assert {field: getattr(mine, field) for field in told} == {field: getattr(theirs, field) for field in told} == told
    if name != "ours":
        other = vis2nir.Config.published(name)
        assert [getattr(mine, field) for field in STUDIED] == [getattr(other, field) for field in STUDIED]
        assert name != "C" or mine.feature_net == other.feature_net


def test_the_commands_for_casia_train_the_studys_steps(prose):
    part = between(prose, "**E3, open.**", "## Limits")
    numbers = dict.fromkeys(("lambda_cyc", "lambda_range"), float)
    read = numbers | {"back": str, "norm": str, "equalise": lambda text: text == "true"}
    told = {name: read[name](text) for name, text in re.findall(r"--set (\w+)=([\w.]+)", part)}
    for name, equalise in (("A", False), ("B", True)):
        mine = dataclasses.asdict(vis2nir.Config(**told | {"equalise": equalise}))
        assert {field: mine[field] for field in vis2nir.studied(name)} == vis2nir.studied(name)
    assert told["equalise"] is True and "--set lambda_perceptual=`" in part


def test_a_misspelt_variant_is_refused(lesson):
    for wrong in ("c", "D", "C, loud"):
        with pytest.raises(BadConfig, match="A, B, C"):
            configured(lesson, wrong, "smoke")


def test_the_table_of_symbols_has_the_weight_of_c(prose):
    assert f"`lambda_perceptual` | 0; {vis2nir.PERCEPTUAL} in C |" in prose


# --------------------------------------------------------------------------------------------- quoted
def said(numbers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{float(part.replace('−', '-')):.{len(part.split('.')[1])}f}" for part in numbers)


def rounded(factor: float, digits: tuple[int, ...], *values: float) -> set[tuple[str, ...]]:
    return {tuple(f"{factor * value:.{places}f}" for value in values) for places in digits}


@pytest.fixture(scope="module")
def swept():
    content = record.recorded("synth:600:nir", "08")
    assert content["rows"], "the record of the sweep that the lesson quotes is not here"
    return content


@pytest.fixture(scope="module")
def recognised(repo):
    found = recognition.read(repo / "notebooks/figures/08_recognition.jsonl")
    assert found["rows"], "the record of the experiment that the lesson quotes is not here"
    return found


def of_the_sweep(content) -> set[tuple[str, ...]]:
    known = set()
    for metric in table.measured(content):
        for to in ("", "base", "A", "pix2pix"):
            for line in table.lines(content, nir_variants.VARIANTS, metric, to):
                known |= rounded(1, (2, 3), line.difference, line.low, line.high)
    key = "psnr, synth:600:nir"
    mine = table.values(content["rows"], key)["ours"]
    mean = torch.tensor(content["header"]["baselines"]["mean face"]["pictures"][key], dtype=torch.double)
    apart = table.difference(mine, dict.fromkeys(mine, mean), content["header"]["people"], key)
    return known | rounded(1, (3,), *apart)


def of_the_recognition(found) -> set[tuple[str, ...]]:
    """Accuracies and differences, to nothing added and to grey copies, in percent and points."""
    known, ends = set(), ("", "_low", "_high")
    for against in (recognition.REAL, "+ grey VIS"):
        for sets in recognition.summary(found["rows"], found["header"]["people"], against).values():
            for line in sets.values():
                known |= rounded(100, (1, 2), *(line[key] for key in ("mean", "low", "high")))
                known |= rounded(100, (1, 2), *(line[f"difference{end}"] for end in ends)) if (
                    "difference" in line) else set()  # fmt: skip
    return known


def test_the_pattern_reads_percent_points_and_decibels():
    text = "41.2 % [38.0, 44.1]; 41.2 % [38.0 %, 44.1 %]; −1.5 points [−3.0, +0.1]; +0.12 dB [0.02, 0.25]; [1, 2]"
    assert [said(found) for found in SHARE.findall(text)] == [
        ("41.2", "38.0", "44.1"), ("41.2", "38.0", "44.1"), ("-1.5", "-3.0", "0.1"), ("0.12", "0.02", "0.25"),
    ]  # fmt: skip


def test_the_lesson_quotes_its_sweep(prose, swept):
    part, known = between(prose, "### Does A < B < C hold?", "### Do generated pictures help?"), of_the_sweep(swept)
    assert len(SHARE.findall(part)) > 2
    assert not [found for found in SHARE.findall(part) if said(found) not in known]
    steps = {row["steps"] for row in swept["rows"]}
    assert f"{max(steps):,} steps, a hundred people" in part or f"{max(steps)} steps, a hundred people" in part
    assert len(steps) == 1 and swept["header"]["count"] == 100


def test_what_breaks_quotes_the_sweep(prose, swept):
    part, known = between(prose, "## What breaks", "## Exercises"), of_the_sweep(swept)
    assert len(SHARE.findall(part)) > 1
    assert not [found for found in SHARE.findall(part) if said(found) not in known]
    line = {line.variant: line for line in table.lines(swept, nir_variants.VARIANTS, "identity", "A")}["grain"]
    assert line.low < 0 < line.high, "neither nearer to its owner nor farther"


def test_the_lesson_quotes_the_recognition(prose, recognised):
    part = between(prose, "### Do generated pictures help?", "### The reference run")
    known, header = of_the_recognition(recognised), recognised["header"]
    assert len(SHARE.findall(part)) > 2
    assert not [found for found in SHARE.findall(part) if said(found) not in known]
    people = header["people"]
    assert len(set(people)) == 100 and len(people) == 3 * 100 and header["real"] == 100
    assert header["added"] == 3 * 100, "a hundred people, one real, three tested, three added"


def test_the_readme_quotes_both(repo, swept, recognised):
    text = " ".join((repo / "README.md").read_text(encoding="utf-8").split())
    text = re.sub(r"<!-- ([\w ]+):begin -->.*?<!-- \1:end -->", "", text)  # made from the records
    part, known = between(text, "**Are two heaps enough?**", "**Is a guide worth it?**"), of_the_sweep(swept)
    known |= of_the_recognition(recognised)
    assert len(SHARE.findall(part)) > 2
    assert not [found for found in SHARE.findall(part) if said(found) not in known]


def test_the_readme_says_of_the_rows_what_the_record_says(repo, swept):
    text = " ".join((repo / "README.md").read_text(encoding="utf-8").split())
    mean = swept["header"]["baselines"]["mean face"]["trials"]["synth:600:nir"]["psnr"]
    ours = [row["trials"]["synth:600:nir"]["psnr"] for row in swept["rows"] if row["variant"] == "A"]
    assert f"mean infrared face alone has {mean:.1f} dB, more than A" in text and mean > sum(ours) / len(ours)
    key = "identity, synth:600:nir"
    apart = {line.variant: line.difference for line in table.lines(swept, nir_variants.VARIANTS, key)}
    assert 0.2 < -apart["C"] / apart["B"] < 0.3, "C gives back a quarter of what B takes"


def test_the_lesson_quotes_its_laptop_run(repo, prose):
    m = json.loads((repo / f"notebooks/figures/{NAME[:2]}_results.json").read_text(encoding="utf-8"))
    assert (m["profile"], m["variant"], m["truth_is"]) == ("laptop", "A", "rendered")
    study = vis2nir.studied("A") | {"channels": 3}
    as_it_is = vis2nir.Config.for_profile("laptop", **study)
    assert vis2nir.Config(**PLAIN | m["config"]) == as_it_is, "the profile as it is"
    skin, toy, price, light = m["skin"], m["toy"], m["price"], m["light"]
    psnr, near = ({name: row[metric]["mean"] for name, row in m["rows"].items()} for metric in ("psnr", "identity"))
    assert f"{near['A']:.3f}" == f"{near['pix2pix']:.3f}", "both networks"
    assert round(1 / skin["red"]) == 9 and abs(skin["850 nm"] - 2 / 3) < 0.03, "a ninth, two thirds"
    assert abs((NEAR / (NEAR + 1000)) ** 2 - 1 / 6) < 0.01 and NEAR == 700, "a sixth; 70 cm"
    assert light["850 nm, same lamps"] >= light["visible"] and light["850 nm, own lamp"] == 0
    assert abs(toy["mosaic"]["critic"] - 0.25) < 0.05, "the critic is at a quarter"
    assert m["rows"]["mean face"]["psnr"]["mean"] > m["rows"]["input"]["psnr"]["mean"] + 2, "far ahead, and nobody"
    for claim in (
        f"has {psnr['input']:.1f} dB, A {psnr['A']:.1f}, *pix2pix* {psnr['pix2pix']:.1f} and the mean face "
        f"{psnr['mean face']:.1f}.", f"nobody is ahead: {near['input']:.3f} the input, {near['A']:.3f} both networks.",
        f"{m['noise']['0.0']} dB come back without noise, {m['noise']['0.03']} under noise of three hundredths",
        f"*true* infrared picture it is {m['noise']['true NIR']}.",
        f"answered: {toy['discs']['made']} dB from the truth, where a copy has {toy['discs']['copied']}.",
        f"in all places or in some: {toy['mosaic']['made']} dB.",
        f"the right answer costs {price['10']:.2f} more than an answer that keeps the shadow",
        f"At 3 it is {price['3']:.2f}.",
        "In red a ninth, at 850 nm two thirds.", "a metre behind it gets a sixth of the light", "lamp is 70 cm",
    ):  # fmt: skip
        assert claim in prose, claim


def test_lesson_and_readme_quote_the_card(repo, prose):
    card = read_card("vis2nir")
    (trial,) = card["metrics"]["trials"].values()
    mine, seen, mean = (trial["rows"][name] for name in ("vis2nir", "input", "mean face"))
    ends = ("mean", "low", "high")
    told = lambda found, digits: "{:.{n}f}{{}} [{:.{n}f}, {:.{n}f}]".format(*map(found.get, ends), n=digits)  # noqa: E731
    psnr, nearer = told(mine["psnr"], 1).format(" dB"), told(mine["identity_gain"], 3).format("")
    part = between(prose, "### The reference run", "## Play")
    readme = " ".join((repo / "README.md").read_text(encoding="utf-8").split())
    of_readme = between(readme, "Read `vis2nir`", "Read `oagan`")
    for text in (part, of_readme):
        for claim in (psnr, nearer, f"{mine['sharpness']['mean']:.2f}", f"{seen['psnr']['mean']:.1f}",
                      f"{mean['psnr']['mean']:.1f}", "simulated"):  # fmt: skip
            assert claim in text, claim
    for metric in ("psnr", "ssim"):
        assert mine[metric]["low"] > max(seen[metric]["high"], mean[metric]["high"]), metric
    for metric in ("frechet", "frechet_second", "identity"):
        assert mine[metric]["mean"] < min(seen[metric]["mean"], mean[metric]["mean"]), metric
    assert (card["data"], card["steps"], card["start"]["steps"]) == ("lfw:nir", 900, 1600)
    assert "1,600 steps at 64 px, then 900 at 128" in part
    assert {name: card["config"][name] for name in vis2nir.studied("ours")} == vis2nir.studied("ours")


def test_what_the_sweep_says_of_the_rows_is_so(swept):
    """The table's order: the study's steps, and whatever else the record has."""
    names = {row["variant"] for row in swept["rows"]}
    assert {"base", "A", "B", "C", "pix2pix"} <= names <= {variant.name for variant in nir_variants.VARIANTS}
