"""What lessons 05 to 09 or the README quote from records and cards is what these give; of 08 see test_lesson_08."""

import itertools
import json
import re
import statistics

import nbformat
import pytest
from lesson_relations import RELATIONS

from facelab.metrics.identity import SAME_PERSON
from facelab.studies.ablation import facemask_variants, guide_variants, record, table, turning_variants
from facelab.studies.judging import ELSE
from facelab.studies.side_by_side_record import recorded

JUDGED = "holes of 20 to 30 %"
OTHER = "somebody else's"
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


def triples(content, variants, *others: str) -> set[tuple[str, ...]]:
    """Every (difference, low, high) of a record, to the parent and to some variants, in every metric it has."""
    found = set()
    for metric, to in itertools.product(table.measured(content), ("", *others)):
        for line in table.lines(content, variants, metric, to):
            found |= rounded(line.difference, line.low, line.high)
    return found


@pytest.fixture(scope="module")
def known_06():
    records = (record.recorded(data, "06") for data in ("orl", "lfw"))
    return set().union(*(triples(content, facemask_variants.VARIANTS, "never told") for content in records))


@pytest.fixture(scope="module")
def known_07():
    records = (record.recorded(data, "07") for data in ("synth:1500", "lfw:turned"))
    return set().union(*(triples(content, turning_variants.VARIANTS, "base") for content in records))


@pytest.fixture(scope="module")
def known_09():
    return triples(record.recorded("lfw", "09"), guide_variants.VARIANTS, "base")


@pytest.fixture(scope="module")
def known_10():
    """Every difference of the protocol with its interval, and every mean with one."""
    parts = recorded()["protocol"].values()
    rows = [row for part in parts for kind in ("rows", "apart") for row in part[kind].values()]
    cells = [cell for row in rows for cell in row.values() if cell.get("low") is not None]
    return set().union(*(rounded(cell["mean"], cell["low"], cell["high"]) for cell in cells))


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


def test_records_that_are_quoted_satisfy_what_every_run_must(repo):
    found = sorted((repo / "notebooks/figures").glob("*_results.json"))
    names = {name[:2]: name for name in RELATIONS}
    assert len(found) >= 3
    for path in found:
        for relation in RELATIONS[names[path.name[:2]]]:
            assert relation.holds(json.loads(path.read_text(encoding="utf-8"))), f"{path.name}: {relation.sentence}"


def prose_of(repo, lesson: str) -> str:
    notebook = nbformat.read(repo / "notebooks" / f"{lesson}.ipynb", 4)
    return " ".join(" ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown").split())


def prose_06(repo) -> str:
    return prose_of(repo, "06_mask_removal")


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


def test_lesson_09_quotes_its_laptop_run(repo):
    prose = prose_of(repo, "09_hog_inpainting")
    m = json.loads((repo / "notebooks/figures/09_results.json").read_text(encoding="utf-8"))
    rows, buckets, guides = m["rows"], list(m["buckets"].values()), m["guides"]
    gain = lambda name: f"{(row := rows[name]['psnr_gain'])['mean']:.1f} dB [{row['low']:.1f}, {row['high']:.1f}]"  # noqa: E731
    ahead = [found["guide"] - found["no guide"] for found in buckets]
    learned = [found["no guide"] - found["biharmonic"] for found in buckets]
    smooth = rows["biharmonic in the true hole"]
    on, coin = m["toy"]["goes on"], m["toy"]["coin"]
    assert round(m["false_edges"], 1) == 0.4 and 5.5 < m["start"]["smooth"] - m["start"]["left"] < 6.5
    assert m["start"]["smooth"] - m["start"]["untrained"] > 3 and m["training_seconds"][0] > m["training_seconds"][1]
    assert {round(on[name]) for name in ("no guide", "predicted", "true guide")} == {52}
    lead = m["ahead"]
    assert m["quarter"] == [38.1, 22.0] and min(guides.values()) == guides["none"]
    for claim in (
        "(measured below: 38 dB, where one square has 22)",
        f"ahead by {lead[0]:.2f} dB [{lead[1]:.2f}, {lead[2]:.2f}], and not for free",
        f"cells there are {m['weaker']:.2f} times as full",
        f"than none ({guides['naive']:.1f} against {guides['none']:.1f})",
        f"do not read the {guides['predicted'] - guides['none']:.1f} dB as",
        f"never had any reaches {rows['no guide']['psnr']['mean']:.1f}.",
        f"{min(ahead):.1f} to {max(ahead):.1f} dB ahead, nothing in the largest holes",
        f"would be worth up to {max(found['true guide'] - found['guide'] for found in buckets):.1f}.",
        f"{m['lost']['pixels']:.0%} of the pixels are {m['lost']['cells']:.0%} of the cells".replace("%", " %"),
        f"{coin['no guide']:.1f} dB where grey has {coin['left']:.1f}. (L1",
        f"The predicted guide does no better ({coin['predicted']:.1f})",
        f"Only the true guide knows ({coin['true guide']:.0f} dB)",
        f"its hole has {rows['input']['psnr']['mean']:.1f} dB, a smooth fill {smooth['psnr']['mean']:.1f}: "
        f"{smooth['psnr_gain']['mean']:.1f} dB need no learning",
        f"gains {gain('no guide')} on its input, with the guide it is {gain('guide')}, at a sharpness of "
        f"{rows['guide']['sharpness']['mean']:.2f} against {rows['no guide']['sharpness']['mean']:.2f}.",
        f"it is {learned[0]:.1f} dB in the smallest holes and {learned[-1]:.1f} in the largest",
        f"between {min(ahead):.1f} and {max(ahead):.1f} in every bucket",
        f"gains up to {max(found['true guide'] - found['guide'] for found in buckets):.1f} dB on the predicted",
        f"worth {guides['true'] - guides['predicted']:.1f} dB more than the predicted one; with no guide at all in the "
        f"hole it loses {guides['predicted'] - guides['none']:.1f} dB",
        f"Somebody else's costs {guides['predicted'] - guides[OTHER]:.1f} dB",
    ):
        assert claim in prose, claim


def test_lesson_09_quotes_the_card(repo):
    prose = prose_of(repo, "09_hog_inpainting")
    part = prose[prose.index("### The reference run") : prose.index("## Exercises")]
    card = json.loads((repo / "weights/hog_inpaint.json").read_text(encoding="utf-8"))
    trials = card["metrics"]["trials"]
    middle, large = (trials[label]["rows"] for label in ("holes of 20 to 30 %", "holes of 50 to 60 %"))
    ours, l1, smooth = (
        middle[name] for name in ("hog_inpaint", "finished with L1 alone", "biharmonic in the true hole")
    )
    mean = lambda row, key, digits=2: f"{row[key]['mean']:.{digits}f}"  # noqa: E731
    near = [large[name]["identity_gain"]["mean"] for name in ("finished with L1 alone", "hog_inpaint")]
    assert abs(ours["identity"]["mean"] - l1["identity"]["mean"]) < 0.001 and near[0] > near[1]
    assert "29.96 dB with a sharpness of 0.84" in card["endings"] and "30.33 dB with 0.69" in card["endings"]
    for claim in (
        f"reaches {mean(l1, 'psnr')} dB in holes of 20 to 30 %, all terms {mean(ours, 'psnr')}",
        f"sharpness rises from {mean(l1, 'sharpness')} to {mean(ours, 'sharpness')} of",
        f"falls from {mean(l1, 'frechet', 1)} to {mean(ours, 'frechet', 1)}, on the net that no term knows from "
        f"{l1['frechet_second']['mean']:.1f} to {mean(ours, 'frechet_second', 1)}",
        f"hidden {mean(large['hog_inpaint'], 'frechet_second', 1)} against "
        f"{mean(large['finished with L1 alone'], 'frechet_second', 1)}",
        f"(gains of {near[0]:.3f} and {near[1]:.3f})",
        "sharpness of 0.69 in place of 0.84, and 30.33 dB in place of 29.96",
        f"has {mean(smooth, 'psnr')} dB, sharpness {mean(smooth, 'sharpness')} and a Fréchet distance of "
        f"{mean(smooth, 'frechet', 0)}",
    ):
        assert claim in part, claim


def test_lesson_07_quotes_its_laptop_run(repo):
    prose = prose_of(repo, "07_frontalization")
    m = json.loads((repo / "notebooks/figures/07_results.json").read_text(encoding="utf-8"))
    share, by, rows = lambda value: f"{100 * value:.0f} %", m["by_yaw"], m["rows"]
    rank = lambda name, label: f"{by[name][label]['rank1']:.2f}"  # noqa: E731
    ours, theirs, copied, told = rows["ours"], rows["AE"], m["copied"], m["told"]
    assert max(by[name]["45°"]["rank1"] for name in ("AE", "pix2pix", "DCGAN", "CVAE")) < by["ours"]["45°"]["rank1"]
    for claim in (
        f"{share(m['found']['45°'])} are still found at 45° and {share(m['found']['60°'])} at 60°",
        f"At 45° {share(m['seen']['45°'][0])} are there, with the mirror image {share(m['seen']['45°'][1])}; in full "
        f"profile {share(m['seen']['90°'][0])}, and with the mirror image {share(m['seen']['90°'][1])}",
        f"copy has {copied['fetched']:.1f} dB, and with the mirror image's help {copied['and mirrored']:.1f}, where "
        f"the turned picture has {copied['side']:.1f} and the mean face {copied['mean face']:.1f}",
        f"{m['toy']['fetched']:.0f} dB where posters are fetched, {m['toy']['plain skips']:.0f} with plain skips, "
        f"{m['toy']['turned']:.0f} for the turned poster",
        f"Ours has {ours['psnr']['mean']:.1f} dB, the autoencoder {theirs['psnr']['mean']:.1f}, and the mean face, "
        f"which has looked at nobody, {rows['mean face']['psnr']['mean']:.1f}: within a decibel or two",
        f"{share(ours['rank1']['mean'])} are recognised in our answers, [{ours['rank1']['low']:.2f}, "
        f"{ours['rank1']['high']:.2f}], and {share(theirs['rank1']['mean'])} in the autoencoder's",
        f"ours has {ours['identity']['mean']:.2f}, the autoencoder {theirs['identity']['mean']:.2f}, but the mean face "
        f"{rows['mean face']['identity']['mean']:.2f}",
        f"a rank-1 of {rank('input', '45°')} at 45°, ours {rank('ours', '45°')}; at 75° it is {rank('input', '75°')} "
        f"against {rank('ours', '75°')}, at 15° {rank('input', '15°')} against {rank('ours', '15°')}",
        f"the input has {rank('input', '0°, another light')} and our network keeps {rank('ours', '0°, another light')}",
        f"real in {share(told['the turned face']['right'])} of cases and somebody else's in "
        f"{share(told['the turned face']['somebody else'])}",
        f"real in {share(told['the target']['right'])} of cases and a stranger's real face in "
        f"{share(told['the target']['somebody else'])}",
        f"by rank-1 at 45° the autoencoder has {rank('AE', '45°')} and the copier {rank('ours', '45°')}; the "
        f"input itself has {rank('input', '45°')}",
    ):
        assert claim in prose, claim
    assert m["people"] == 20


def means_07(data: str) -> dict[str, dict[str, dict[str, float]]]:
    """Variant or baseline → trial → metric → mean over seeds."""
    content = record.recorded(data, "07")
    found = {name: [row] for name, row in content["header"]["baselines"].items()}
    for row in content["rows"]:
        found.setdefault(row["variant"], []).append(row)
    over = lambda rows, label, key: statistics.mean(row["trials"][label][key] for row in rows)  # noqa: E731
    return {
        name: {label: {key: over(rows, label, key) for key in means} for label, means in rows[0]["trials"].items()}
        for name, rows in found.items()
    }


def test_lesson_07_quotes_its_records(repo, known_07):
    prose = prose_of(repo, "07_frontalization")
    part = prose[prose.index("### What copying is worth") : prose.index("### The reference run")]
    assert len(quoted(part)) > 6
    assert not [one for one in quoted(part) if one not in known_07]
    heads, photos = means_07("synth:1500"), means_07("lfw:turned")
    rank = lambda name, label: f"{heads[name][label]['rank1']:.2f}"  # noqa: E731
    far = lambda name, label: f"{photos[name][label]['identity']:.2f}"  # noqa: E731
    source = [photos[name] for name in ("AE", "pix2pix", "DCGAN", "CVAE")]
    for claim in (
        f"in {rank('base', '15°')} of cases at 15°, {rank('base', '45°')} at 45° and {rank('base', '75°')} at 75°",
        f"have {rank('input', '15°')}, {rank('input', '45°')} and {rank('input', '75°')}",
        f"ours is {far('base', '15°')} from the person, the input {far('input', '15°')}",
        f"At 45° it is {far('base', '45°')} against {far('input', '45°')}; at 60° ours is nearer, "
        f"{far('base', '60°')} against {far('input', '60°')}",
        f"{photos['painted']['60°']['rank1']:.2f} of its people are recognised, {photos['base']['60°']['rank1']:.2f} "
        "of the copier's",
        f"stay at {min(row['45°']['identity'] for row in source):.2f} and beyond and are recognised in "
        f"{max(row['45°']['rank1'] for row in source):.2f} of cases at most",
    ):
        assert claim in part, claim
    assert "falls by a fifth of a decibel here, on heads by more than one" in part
    assert 0.15 < photos["base"]["45°"]["psnr"] - photos["own eyes"]["45°"]["psnr"] < 0.25


def test_lesson_07_quotes_the_card_and_the_side_poses(repo):
    prose = prose_of(repo, "07_frontalization")
    part = prose[prose.index("### The reference run") : prose.index("## Exercises")]
    trials = json.loads((repo / "weights/frontalize.json").read_text(encoding="utf-8"))["metrics"]["trials"]
    sides = json.loads((repo / "notebooks/figures/07_sides.json").read_text(encoding="utf-8"))

    def mean(label: str, name: str, key: str, whole: bool = False) -> str:
        found = trials[label]["rows"][name][key]
        text = f"{found['mean']:.2f}"
        return f"{text} [{found['low']:.2f}, {found['high']:.2f}]" if whole else text

    rank = lambda yaw, *more: [mean(f"synth:1500, {yaw}", n, "rank1", *more) for n in ("frontalize", "input")]  # noqa: E731
    far = lambda yaw, *more: [mean(f"lfw:turned, {yaw}", n, "identity", *more) for n in ("frontalize", "input")]  # noqa: E731
    ours, gain = sides["rows"]["frontalize"], sides["rows"]["frontalize"]["identity_gain"]
    for claim in (
        f"turned by 45° {rank('45°', True)[0]} are recognised in our answers, {rank('45°')[1]} in the turned pictures; "
        f"at 75° {rank('75°', True)[0]} against {rank('75°')[1]}, at 15° {rank('15°')[0]} against {rank('15°')[1]}",
        f"the input has {rank('0°, another light')[1]} and ours {rank('0°, another light')[0]}",
        "at 45° {} against {}".format(*far("45°", True)),
        "at 60° {} against {}".format(*far("60°")),
        "({} and {})".format(*far("15°")),
        f"of {sides['people']} people the mean distance grows by {-gain['mean']:.3f} [{-gain['high']:.3f}, "
        f"{-gain['low']:.3f}]; four of them come nearer. {ours['rank1']['mean']:.2f} [{ours['rank1']['low']:.2f}, "
        f"{ours['rank1']['high']:.2f}] are recognised, {sides['rows']['input']['rank1']['mean']:.2f} before",
        f"draws level at 30° ({' against '.join(rank('30°'))})",
    ):
        assert claim in part, claim
    assert sum(after < before for _, before, after in sides["yaw, before, after"].values()) == 4
    text = " ".join((repo / "README.md").read_text(encoding="utf-8").split())
    for claim in (
        f"turned by 45°, {rank('45°', True)[0]} are recognised in its answers and {rank('45°')[1]} in the turned "
        f"pictures; at 75° it is {' against '.join(rank('75°'))}, at 15° {' against '.join(rank('15°'))}",
        f"With nothing to turn it harms ({' against '.join(rank('0°, another light'))}), and of full profiles "
        f"{rank('90°', True)[0]} are recognised",
        f"move *away*, by {-gain['mean']:.3f} [{-gain['high']:.3f}, {-gain['low']:.3f}]",
    ):
        assert claim in text, claim


def test_the_side_poses_are_those_of_the_weights_that_ship(repo):
    sides, card = (json.loads((repo / name).read_text(encoding="utf-8"))
                   for name in ("notebooks/figures/07_sides.json", "weights/frontalize.json"))  # fmt: skip
    assert (sides["weights"], sides["size"]) == (card["sha256"], card["config"]["size"])


def mean_09(rows, variant: str, metric: str) -> float:
    return statistics.mean(row["trials"][JUDGED][metric] for row in rows if row["variant"] == variant)


def test_lesson_09_quotes_its_record(repo, known_09):
    prose = prose_of(repo, "09_hog_inpainting")
    part = prose[prose.index("### What a guide is worth") : prose.index("### The reference run")]
    assert len(quoted(part)) > 2
    assert not [one for one in quoted(part) if one not in known_09]
    rows = record.recorded("lfw", "09")["rows"]
    for name in ("base", "guide"):
        assert sorted(row["seed"] for row in rows if row["variant"] == name) == [0, 1, 2]
    far = {name: f"{mean_09(rows, name, 'frechet_second'):.0f}" for name in ("base", "guide", "oracle", "gated")}
    seconds = lambda name: statistics.mean(row["seconds"] for row in rows if row["variant"] == name)  # noqa: E731
    share = (mean_09(rows, "guide", "psnr") - mean_09(rows, "base", "psnr")) / (
        next(row for row in rows if row["variant"] == "oracle")["trials"][JUDGED]["psnr"]
        - next(row for row in rows if row["variant"] == "base" and row["seed"] == 0)["trials"][JUDGED]["psnr"]
    )
    assert 0.15 < share < 0.25, "a fifth"
    assert 3.5 < (seconds("guide") - seconds("base")) / 60 < 4.5, "four minutes"
    for claim in (
        f"{far['guide']} in place of {far['base']}, {far['oracle']} for the oracle",
        "a fifth of what a drawing could",
        "cost four minutes",
    ):
        assert claim in part, claim
    text = " ".join((repo / "README.md").read_text(encoding="utf-8").split())
    assert f"is {far['guide']} in place of {far['base']}" in text and "is a fifth of it" in text


def test_the_readme_quotes_the_exam_of_lesson_10(repo):
    text = " ".join((repo / "README.md").read_text(encoding="utf-8").split())
    text, found = text[text.index("**Which judge?**") :], recorded()
    occluder, masks = found["protocol"]["occluder"]["rows"], found["protocol"]["facemask"]["rows"]
    near = lambda rows, name: f"{rows[name]['identity']['mean']:.2f}"  # noqa: E731
    far = {name: f"{masks[name]['frechet']['mean']:.0f}" for name in ("oagan", "mask_removal")}
    touched = {name: 100 * found["harm"][name]["touched"]["mean"] for name in ("oagan", "mask_removal")}
    attacks = found["judges"]["attacks"]
    levels = [one["metrics"]["psnr"]["mean"] for one in attacks.values() if one["level"] is not None]
    assert len(levels) == 5 and all(f"{value:.1f}" == "24.0" for value in levels)
    assert touched["mask_removal"] == 0 == attacks["somebody else"]["metrics"]["frechet"]["mean"]
    for claim in (
        f"{far['mask_removal']} against {far['oagan']}",
        f"takes {100 * occluder[ELSE]['same']['mean']:.0f} of the hundred for the same person",
        f"a mean distance of {near(occluder, ELSE)}, where {SAME_PERSON:g} is the limit",
        f"facemask {100 * masks[ELSE]['same']['mean']:.0f} still pass ({near(masks, ELSE)})",
        f"and the restored face ({near(masks, 'mask_removal')})",
        f"a smooth blur ({near(masks, 'biharmonic in the true hole')})",
        f"`mask_removal` changes none, `oagan` {touched['oagan']:.0f} somewhere",
    ):
        assert claim in text, claim


def test_the_readme_quotes_the_records(repo, known, known_06, known_07, known_09, known_10):
    text = (repo / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    text = re.sub(r"<!-- ([\w ]+):begin -->.*?<!-- \1:end -->", "", text)  # made from the records, and tested so
    text = re.sub(r"\*\*Are two heaps enough\?\*\*.*?(?=\*\*Is a guide worth it\?\*\*)", "", text)  # test_lesson_08's
    heads = ("**Which critic?**", "**Which parts take a mask off?**", "**Who comes back?**", "**Is a guide worth it?**",
             "**Which judge?**", "## The library in fifteen lines")  # fmt: skip
    places = [text.index(head) for head in heads]
    for (start, end), found in zip(
        itertools.pairwise(places), (known, known_06, known_07, known_09, known_10), strict=True
    ):
        assert not [one for one in quoted(text[start:end]) if one not in found]
    assert len(quoted(text[places[1] : places[-1]])) > 8, "of critics the README has a table alone"
