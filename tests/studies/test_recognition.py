"""The recognition experiment: a toy whose answer is known, its negative control, the guards, and going on."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from facelab.errors import BadConfig, MissingPart
from facelab.nets.inception_resnet import InceptionResnet
from facelab.seeding import generator
from facelab.studies import albums, identification, recognition, teaching
from facelab.studies.albums import Album, beside, draws, join, refuse_leaks, refuse_shared, refuse_twins
from facelab.studies.identification import identify, nearest_mean
from facelab.studies.recognition import REAL, as_text, experiment, read, run_experiment, summary
from facelab.train.engine import Engine

PEOPLE = 4


def toy(count: int, seed: int, shuffled: bool = False) -> Album:
    """Each person's mark is a bright square at a height of his or her own, left or right by chance."""
    random = generator(seed, "toy")
    who = torch.arange(count) % PEOPLE
    pictures = torch.rand(count, 1, 32, 32, generator=random) * 0.6 - 0.9
    left = torch.randint(2, 24, (count,), generator=random)
    for picture, person, column in zip(pictures, who.tolist(), left.tolist(), strict=True):
        picture[:, 2 + 7 * person : 8 + 7 * person, column : column + 6] = 0.8
    return Album(pictures, who[torch.randperm(count, generator=random)] if shuffled else who)


def striped(count: int, seed: int, shuffled: bool = False) -> Album:
    """Each person's stripes run in a direction of their own; where they begin and how bright they are is chance."""
    random, who = generator(seed, "striped"), torch.arange(count) % PEOPLE
    angle, begun = math.pi * who / PEOPLE, 2 * math.pi * torch.rand(count, generator=random)
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    along = columns * angle.cos()[:, None, None] + rows * angle.sin()[:, None, None]
    strength = 0.3 + 0.3 * torch.rand(count, 1, 1, generator=random)
    pictures = strength * torch.sin(along * 0.8 + begun[:, None, None])
    pictures = pictures + 0.05 * torch.randn(count, 32, 32, generator=random)
    return Album(pictures[:, None], who[torch.randperm(count, generator=random)] if shuffled else who)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(identification, "WIDTH", 8)
    monkeypatch.setattr(teaching, "BATCH", 16)


@pytest.fixture
def quick(monkeypatch):
    """Classifiers that compute nothing: which pictures are taken for the right person depends on set and seed."""
    asked = []

    def named(train, test, job):
        asked.append((len(train), job.seed))
        wrong = (torch.arange(len(test)) + job.seed) % (1 + len(train) // 8) == 0
        return torch.where(wrong, (test.labels + 1) % PEOPLE, test.labels)

    monkeypatch.setitem(identification.CLASSIFIERS, "small", named)
    monkeypatch.setitem(identification.CLASSIFIERS, "lbp", named)
    return asked


def test_the_small_classifier_learns_the_toy_and_not_shuffled_names():
    test = toy(40, 2)
    right = identify(toy(32, 1), test, "small", 0, 70)
    assert right.shape == (40,) and set(right.tolist()) <= {0.0, 1.0}
    wrong = identify(toy(32, 1, shuffled=True), test, "small", 0, 70)
    assert wrong.mean() < 0.55 < 0.85 < right.mean()


def test_the_same_seed_gives_the_same_answers_and_no_global_generator_is_touched():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first, again, other = (identify(toy(16, 1), toy(40, 2), "small", seed, 3) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.rand(2), expected)


def test_patterns_tell_toy_people_apart():
    """Chance is 0.25; two of 40 may go astray, and nobody gets as far by guessing: 38 of 40 has a chance of 1e-20."""
    test = striped(40, 2)
    assert identify(striped(16, 1), test, "lbp").mean() >= 0.95
    assert identify(striped(16, 1, shuffled=True), test, "lbp").mean() < 0.5
    assert identify(test, test, "lbp").mean() == 1.0


def test_half_of_a_balanced_batch_is_real():
    added = torch.tensor([False] * 6 + [True] * 30)
    rows = draws(added, 8, 30, generator(0, "draws"))
    assert rows.shape == (30, 8) and (added[rows].sum(1) == 4).all()
    often = torch.bincount(rows.flatten(), minlength=36)
    assert often[:6].tolist() == [20] * 6 and often[6:].tolist() == [4] * 30  # each as often as any of its kind
    plain = draws(added, 8, 36, generator(0, "draws"), balanced=False)
    assert torch.bincount(plain.flatten()).tolist() == [8] * 36 and added[plain].float().mean() > 0.8
    alone = draws(added[:6], 7, 6, generator(0, "draws"))
    assert torch.bincount(alone.flatten()).tolist() == [7] * 6 and draws(added[6:], 8, 2, generator(0, "x")).max() < 30
    assert (added[draws(added, 7, 9, generator(0, "draws"))].sum(1) == 3).all()  # the odd one is real


def test_budget_and_balance_are_the_same_for_every_album(monkeypatch):
    seen = []
    monkeypatch.setattr(teaching, "varied", lambda images, generator: seen.append(images.clone()) or images)
    real, more = toy(8, 1), beside(Album(torch.full((40, 1, 32, 32), 0.5), torch.arange(40) % PEOPLE))
    for album in (real, join(real, more)):
        identify(album, toy(4, 2), "small", 0, 3)
    assert [len(batch) for batch in seen] == [16] * 6
    assert [int((batch == 0.5).flatten(1).all(1).sum()) for batch in seen] == [0, 0, 0, 8, 8, 8]


def test_the_nearest_mean_weighs_both_kinds_alike():
    images = torch.zeros(5, 1, 8, 8)
    album = Album(images, torch.tensor([7, 7, 7, 7, 9]), torch.tensor([False, True, True, True, False]))
    vectors = torch.tensor([[0.0], [4.0], [4.0], [4.0], [-1.0]])
    asked = torch.tensor([[0.9], [0.4], [-0.8]])  # means 2 and -1; put together 3 and -1
    assert nearest_mean(vectors, album, asked).tolist() == [7, 9, 9]
    assert nearest_mean(vectors, album, asked, balanced=False).tolist() == [9, 9, 9]


def test_pictures_vary_within_their_range_and_by_their_generator_alone():
    pictures = toy(8, 1).images
    first, again, other = (teaching.varied(pictures, generator(seed, "v")) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == pictures.shape and first.abs().max() <= 1
    hidden = (teaching.patched(pictures, generator(0, "p"), share=1.0) != pictures).flatten(1).float().mean(1)
    assert (hidden > 0.005).all() and (hidden <= 0.36**2 + 0.03).all()
    assert torch.equal(teaching.patched(pictures, generator(0, "p"), share=0.0), pictures)


def test_albums_are_joined_and_refuse_what_does_not_fit():
    marked = Album(torch.zeros(2, 1, 32, 32), torch.tensor([0, 1]), landmarks=torch.ones(2, 68, 2), files=("a", "b"))
    both = join(toy(3, 1), beside(marked))
    assert both.added.tolist() == [False] * 3 + [True] * 2 and both.files == ("", "", "", "a", "b")
    assert torch.equal(both.landmarks[3:], marked.landmarks) and torch.equal(both.points[:3], toy(3, 1).points)
    assert both.some([4, 0]).labels.tolist() == [1, 0] and both.some([4]).files == ("b",)
    for parts in ((torch.zeros(2, 3, 8, 8), torch.zeros(2).long()), (torch.zeros(2, 1, 8, 8), torch.zeros(2))):
        with pytest.raises(BadConfig):
            Album(*parts)
    with pytest.raises(BadConfig, match="one size"):
        join(toy(2, 1), Album(torch.zeros(1, 1, 8, 8), torch.tensor([0])))
    with pytest.raises(BadConfig, match="person 3"):
        identify(toy(3, 1), toy(4, 2), "lbp")
    for asked in (
        lambda: identify(toy(4, 1), toy(4, 2), "guess"),
        lambda: identification.why_not("inception-resnet v2"),
    ):
        with pytest.raises(BadConfig, match="one of small"):
            asked()


def test_leaks_are_refused():
    refuse_leaks(["ann", "bob"], ["cid"])
    with pytest.raises(BadConfig, match="bob and 1 more"):
        refuse_leaks(["ann", "bob", "cid"], ["cid", "bob"])
    train, test = toy(8, 1), toy(8, 2)
    refuse_shared(train, test)
    with pytest.raises(BadConfig, match="picture 8 has the pixels of test picture 3"):
        refuse_shared(join(train, test.some([3])), test)
    named = [Album(album.images, album.labels, files=[f"{k}{at}" for at in range(8)]) for k, album in
             (("a", train), ("b", test))]  # fmt: skip
    refuse_shared(*named)
    with pytest.raises(BadConfig, match="picture 2 has the file of test picture 5"):
        refuse_shared(Album(train.images, train.labels, files=["x", "y", "b5"] + ["z"] * 5), named[1])
    refuse_twins([0, 1], [5], [(0, 4), (2, 5)])
    with pytest.raises(BadConfig, match="picture 2, the colour half of test picture 5"):
        refuse_twins([0, 2], [5], [(0, 4), (2, 5)])


def test_an_experiment_has_a_row_a_set_classifier_and_seed(quick):
    real, test = toy(8, 1), toy(12, 2)
    rows = experiment({"more": join(real, beside(toy(24, 3)))}, real, test, ("small", "lbp"), (0, 1))
    assert [recognition.key_of(row) for row in rows] == [
        (REAL, "small", 0), ("more", "small", 0), (REAL, "small", 1), ("more", "small", 1), (REAL, "lbp", 0),
        ("more", "lbp", 0),
    ]  # fmt: skip
    assert [(row["pictures"], row["added"]) for row in rows[:2]] == [(8, 0), (32, 24)] and len(rows[0]["correct"]) == 12
    with pytest.raises(BadConfig, match="another name"):
        experiment({REAL: real}, real, test)
    with pytest.raises(BadConfig, match="pixels of test picture 0"):
        experiment({"leak": join(real, beside(test.some([0])))}, real, test)


def test_a_summary_has_means_intervals_and_paired_differences():
    people = [0, 0, 1, 1, 2, 2, 3, 3]
    row = lambda name, seed, right: {"set": name, "classifier": "small", "seed": seed, "correct": right}  # noqa: E731
    rows = [row(REAL, 0, [1, 0] * 4), row(REAL, 1, [0, 1] * 4), row("all", 0, [1] * 8), row("same", 0, [1, 0] * 4),
            row("half", 0, [1, 1, 1, 0] * 2), row("half", 1, [1, 1, 0, 1] * 2), row("half", 2, [0] * 8)]  # fmt: skip
    table = summary(rows, people)["small"]
    assert table[REAL] == {"mean": 0.5, "low": 0.5, "high": 0.5, "seeds": 2}
    assert (table["all"]["difference"], table["all"]["difference_low"], table["all"]["difference_high"]) == (0.5,) * 3
    assert table["same"]["difference"] == table["same"]["difference_high"] == 0
    half = table["half"]  # the third seed has no partner: it counts for the mean alone
    assert half["mean"] == 0.5 and half["difference"] == 0.25 and half["seeds"] == 3
    assert 0 <= half["difference_low"] < 0.25 < half["difference_high"] <= 0.5  # two of four people gain a half
    assert "| small | all | 100.0% [100.0%, 100.0%] | +50.0 [+50.0, +50.0] |" in as_text({"small": table})
    with pytest.raises(BadConfig, match="one a test picture"):
        summary(rows, people[:3])


def test_the_interval_is_over_people_and_not_over_pictures():
    """One person of four is never known: what is drawn anew is people, each with 25 pictures."""
    people = [who for who in range(4) for _ in range(25)]
    rows = [{"set": REAL, "classifier": "lbp", "seed": 0, "correct": [int(who > 0) for who in people]}]
    found = summary(rows, people)["lbp"][REAL]
    assert found["mean"] == 0.75 and found["low"] == 0.25 and found["high"] == 1.0
    alone = summary(rows, range(100))["lbp"][REAL]
    assert math.isclose(alone["high"] - alone["low"], 4 * math.sqrt(0.75 * 0.25 / 100), rel_tol=0.15)


def test_a_stopped_experiment_goes_on_and_does_nothing_twice(quick, tmp_path, monkeypatch):
    real, test, said = toy(8, 1), toy(12, 2), []
    sets = {"more": join(real, beside(toy(24, 3)))}

    def stop(line):
        said.append(line)
        if len(said) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(tmp_path, sets, real, test, ("small",), (0, 1), 5, note=stop)
    assert len(quick) == 3 and len(read(tmp_path)["rows"]) == 3 and "more, small, seed 0: " in said[1]
    found = run_experiment(tmp_path, sets, real, test, ("small",), (0, 1), 5)
    assert len(quick) == 4 and len(found["rows"]) == 4
    assert found["header"]["people"] == test.labels.tolist() and found["header"]["steps"] == 5
    again = run_experiment(tmp_path, {"other": toy(16, 4)}, real, test, ("small", "lbp"), (0,), 5)
    assert len(quick) == 7 and set(again["header"]["sets"]) == {REAL, "more", "other"}  # sets may come later
    for change in (dict(steps=6), dict(balanced=False), dict(test=toy(12, 5)), dict(real=toy(8, 6))):
        args = dict(sets=sets, real=real, test=test, classifiers=("small",), seeds=(0,), steps=5) | change
        with pytest.raises(BadConfig, match="folder without results"):
            run_experiment(tmp_path, **args)
    with pytest.raises(BadConfig, match="precision"):
        run_experiment(tmp_path, sets, real, test, ("small",), (0,), 5, Engine(precision="bf16"))
    moved = dataclasses.replace(sets["more"], landmarks=sets["more"].points + 1)
    with pytest.raises(BadConfig, match="more, another one"):
        run_experiment(tmp_path, {"more": moved}, real, test, ("small",), (0,), 5)
    assert len(quick) == 7 and read(tmp_path / recognition.NAME) == again


def test_rows_of_another_file_of_weights_are_not_gone_on_with(quick, tmp_path, monkeypatch):
    name, file, folder = "inception-resnet", tmp_path / "net.pt", tmp_path / "out"
    monkeypatch.setenv("FACELAB_INCEPTION_RESNET", str(file))
    monkeypatch.setitem(identification.CLASSIFIERS, name, identification.CLASSIFIERS["small"])
    go = lambda *asked: run_experiment(folder, {}, toy(8, 1), toy(4, 2), asked, (0,), 5)  # noqa: E731
    assert go(name)["header"]["recognizers"] == {} and quick == []
    file.write_bytes(b"one network")
    first = go(name, "lbp")
    assert set(first["header"]["recognizers"]) == {name} and len(quick) == 2 and go(name) == go(name, "lbp") == first
    file.write_bytes(b"another network")
    with pytest.raises(BadConfig, match="inception-resnet, another one than before"):
        go(name)
    assert go("lbp") == first  # it is not asked for
    file.unlink()
    left = go(name)["header"]
    assert (
        left["recognizers"] == first["header"]["recognizers"] and "net.pt" in left["missing"][name] and len(quick) == 2
    )


def test_what_is_not_here_is_left_out_and_said(quick, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELAB_INCEPTION_RESNET", str(tmp_path / "none.pt"))
    found = run_experiment(tmp_path, {}, toy(8, 1), toy(4, 2), ("inception-resnet", "lbp"), steps=5)
    assert [row["classifier"] for row in found["rows"]] == ["lbp"]
    assert "none.pt" in found["header"]["missing"]["inception-resnet"]
    with pytest.raises(MissingPart):
        identify(toy(8, 1), toy(4, 2), "inception-resnet")
    with pytest.raises(BadConfig, match="one of small"):
        run_experiment(tmp_path / "other", {}, toy(8, 1), toy(4, 2), ("small", "guess"), steps=5)
    assert quick == [(8, 0)] and not read(tmp_path / "other")["rows"], "refused before anything is taught"


def test_frozen_vectors_are_computed_once_a_memory(monkeypatch):
    asked = []

    def describe(images, points):
        asked.append(len(images))
        return images.mean(3).flatten(1)  # the height of the square, which is who it is

    monkeypatch.setattr(identification, "descriptors", describe)
    real, test, memory = toy(16, 1), toy(12, 2), {}
    assert identify(real, test, "dlib", memory=memory).mean() == 1.0
    assert identify(join(real, beside(toy(8, 3))), test, "dlib", memory=memory).mean() == 1.0
    assert asked == [16, 12, 8]


class Tiny(InceptionResnet):
    """Rows' means in place of a large network."""

    def __init__(self):
        torch.nn.Module.__init__(self)
        self.gain = torch.nn.Parameter(torch.ones(512), requires_grad=False)

    def forward(self, images):
        rows = torch.nn.functional.interpolate(images.mean(3) - images.mean((2, 3))[..., None], 512)[:, 0]
        return torch.nn.functional.normalize(rows * self.gain, dim=1)


@pytest.mark.parametrize("kind", ["inception-resnet", "inception-resnet, head", "inception-resnet, tuned"])
def test_a_recognizer_of_others_is_used_frozen_or_tuned(monkeypatch, kind):
    monkeypatch.setattr(identification, "inception_resnet", lambda: Tiny().eval().requires_grad_(False))
    assert identify(toy(16, 1), toy(12, 2), kind, steps=40).mean() > 0.8


def test_an_album_is_told_from_another_by_pictures_names_and_kind():
    one = toy(8, 1)
    others = [toy(8, 2), beside(one), Album(one.images, one.labels.flip(0)), one.some(range(7))]
    others += [Album(one.images, one.labels, landmarks=one.points + apart) for apart in (0, 0.1)]
    again = Album(one.images, one.labels, landmarks=one.points + 1e-5)
    assert len({albums.album_digest(album) for album in (one, toy(8, 1), *others, again)}) == 7
