"""Face-mask removal: who moves when, what is learnt, what each critic sees, what is refused."""

import dataclasses

import pytest
import torch

from facelab.errors import BadConfig, BadWeights
from facelab.images import composite
from facelab.nets.blocks import parameter_count
from facelab.seeding import generator, seed_all
from facelab.systems import mask_removal
from facelab.systems.mask_removal.step import adversarial_terms, playing
from facelab.train.engine import Engine
from facelab.train.state import State
from facelab.train.weights import write_weights

TINY = mask_removal.Config(
    size=32, channels=1, width=8, hole_width=8, blocks=1, outline_blocks=1, critic_width=4, critic_downs=3,
    feature_net="none", batch=4, steps=100, adversarial_from=0.0, region_from=0.0,
)  # fmt: skip


def make(cfg, step=0):
    seed_all(0)
    model = mask_removal.build(cfg)
    return model, mask_removal.optimizers(model, cfg), State(step, cfg.steps, generator(0, "t"), cfg)


def batch_of(cfg, count=4):
    random = generator(1, "batch")
    draw = lambda c: torch.rand(count, c, cfg.size, cfg.size, generator=random)  # noqa: E731
    truth, hole = draw(cfg.channels) * 2 - 1, torch.zeros(count, 1, cfg.size, cfg.size)
    hole[:, :, cfg.size // 2 : -2, 6:-6] = 1
    return {"truth": truth, "hole": hole, "occluded": truth * (1 - hole) + hole, "natural": draw(cfg.channels) * 2 - 1}


def weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def changed(before, net):
    return any(not torch.equal(value, net.state_dict()[name]) for name, value in before.items())


@pytest.mark.parametrize("name", ["whole", "region"])
def test_each_critic_moves_by_its_own_optimiser_and_nobody_else(name):
    """The source moved the region's critic with the other one's optimiser."""
    model, opts, state = make(TINY)
    other = {"whole": "region", "region": "whole"}[name]
    before = {part: weights(net) for part, net in (("G", model.G), *model.D.items())}
    batch = batch_of(TINY)
    mask_removal.critic_step(name, batch, batch["occluded"], batch["hole"], model, opts[name], state, Engine())
    assert changed(before[name], model.D[name])
    assert not changed(before[other], model.D[other]) and not changed(before["G"], model.G)
    owned = {id(p) for group in opts[name].param_groups for p in group["params"]}
    assert owned == {id(p) for p in model.D[name].parameters()}


def test_generator_half_leaves_both_critics_alone():
    model, opts, state = make(TINY)
    batch, before = batch_of(TINY), weights(model.D)
    logits = model.G.find(batch["occluded"])
    raw = model.G.edit(batch["occluded"], batch["hole"])
    restored = composite(batch["occluded"], raw, batch["hole"])
    terms = mask_removal.paired_terms(batch, logits, batch["hole"], raw, restored, model, TINY, Engine())
    terms |= adversarial_terms(restored, batch["hole"], model, ["whole", "region"], TINY, Engine())
    assert {"hole", "l1", "ssim", "adv_whole", "adv_region"} == set(terms)
    mask_removal.generator_step(terms, model, opts["G"], state, Engine())
    assert not changed(before, model.D)
    assert all(p.grad is None and p.requires_grad for p in model.D.parameters())


def test_real_is_the_bare_face_and_never_the_masked_one():
    """The source's critics took the masked input for real."""
    for name in ("whole", "region"):
        seen = {}
        for touched in ("", "truth", "occluded"):
            (model, opts, state), batch = make(TINY), batch_of(TINY)
            if touched:
                batch[touched] = batch[touched] * 0.5
            fake = torch.zeros_like(batch["truth"])
            logs = mask_removal.critic_step(name, batch, fake, batch["hole"], model, opts[name], state, Engine())
            seen[touched] = logs[f"real_{name}"]
        assert seen["occluded"] == seen[""] != seen["truth"]


def test_the_region_lies_around_the_hole_and_both_sides_see_the_same_one():
    """The source divided a map of -1 and 1 by 255: its second critic saw the masked picture twice."""
    images = torch.arange(32 * 32.0).view(1, 1, 32, 32).repeat(3, 1, 1, 1)
    hole = torch.zeros(3, 1, 32, 32)
    hole[0, :, 10:20, 12:20] = 1
    hole[1, :, 28:, :4] = 1
    region = mask_removal.region_of(images, hole)
    assert torch.equal(region[0], images[0, :, 7:23, 8:24])
    assert torch.equal(region[1], images[1, :, 16:, :16])
    assert torch.equal(region[2], images[2, :, 8:24, 8:24])
    soft = hole.clone().requires_grad_(True)
    mask_removal.region_of(images.clone().requires_grad_(True), soft).sum().backward()
    assert soft.grad is None


def test_the_second_critic_hears_of_the_region_alone():
    model, _, _ = make(TINY)
    batch = batch_of(TINY)
    picture = batch["truth"].clone().requires_grad_(True)
    terms = adversarial_terms(picture, batch["hole"], model, ["region"], TINY, Engine())
    terms["adv_region"].backward()
    heard = picture.grad.abs().amax((0, 1)) > 0
    assert heard[16:].any() and not heard[:10].any()


def test_critics_join_in_stages():
    cfg = dataclasses.replace(TINY, adversarial_from=0.1, region_from=0.4)
    assert [playing(cfg, at) for at in (0.09, 0.1, 0.39, 0.4)] == [[], ["whole"], ["whole"], ["whole", "region"]]
    assert playing(dataclasses.replace(cfg, lambda_region=0.0), 0.9) == ["whole"]
    assert mask_removal.Config().region_from == 0.4, "as published"
    for step, names in ((0, set()), (10, {"adv_whole"}), (40, {"adv_whole", "adv_region"})):
        model, opts, state = make(cfg, step)
        logs = mask_removal.train_step(batch_of(cfg), model, opts, state, Engine())
        assert {name for name in logs if name.startswith("adv")} == names


def test_the_editing_net_teaches_the_hole_net_nothing_where_the_truth_is_known():
    """A hole that grows to make painting easier would be no hole."""
    cfg = dataclasses.replace(TINY, lambda_hole=0.0, teacher=0.0)
    model, opts, state = make(cfg)
    before = weights(model.G.hole_net), weights(model.G.editor)
    mask_removal.train_step(batch_of(cfg), model, opts, state, Engine())
    assert not changed(before[0], model.G.hole_net) and changed(before[1], model.G.editor)


def test_a_hole_net_that_rests_stays_as_it_came():
    for until, moves in ((0.0, False), (1.0, True)):
        cfg = dataclasses.replace(TINY, find_until=until)
        model, opts, state = make(cfg)
        before = weights(model.G.hole_net), weights(model.G.editor)
        logs = mask_removal.train_step(batch_of(cfg), model, opts, state, Engine())
        assert changed(before[0], model.G.hole_net) == moves == ("hole" in logs)
        assert changed(before[1], model.G.editor)


def test_first_only_the_hole_is_learned():
    cfg = dataclasses.replace(TINY, edit_from=0.5, adversarial_from=0.5)
    model, opts, state = make(cfg)
    before = weights(model.G.editor)
    assert set(mask_removal.train_step(batch_of(cfg), model, opts, state, Engine())) == {"hole"}
    assert not changed(before, model.G.editor)


def test_unpaired_photographs_come_in_their_own_rhythm_and_reach_the_hole_net():
    cfg = dataclasses.replace(TINY, natural_every=3, penalty="none")
    seen = []
    model, opts, state = make(cfg)
    for step in range(6):
        state.step = step
        logs = mask_removal.train_step(batch_of(cfg), model, opts, state, Engine())
        assert {"l1", "hole"} <= set(logs), "no step learns less from the truth"
        seen.append("natural_unsure" in logs)
    assert seen == [False, False, True] * 2
    state.step, before = 2, weights(model.G.hole_net)
    mask_removal.train_step(batch_of(cfg), model, opts, state, Engine())
    assert changed(before, model.G.hole_net)
    resting = dataclasses.replace(cfg, find_until=0.0)
    model, opts, state = make(resting, 2)
    before, painted = weights(model.G.hole_net), weights(model.G.editor)
    assert "natural_unsure" in mask_removal.train_step(batch_of(cfg), model, opts, state, Engine())
    assert not changed(before, model.G.hole_net) and changed(painted, model.G.editor)


@pytest.mark.parametrize("model", ["unet", "published"])
def test_the_smallest_size_that_is_allowed_can_be_trained(model):
    for least in range(16, 64, 16):
        try:
            cfg = dataclasses.replace(TINY, model=model, size=64, small_size=least, small_until=0.5, critic_downs=2)
        except BadConfig:
            continue
        net, opts, state = make(cfg)
        small = batch_of(dataclasses.replace(TINY, model="unet", size=least, critic_downs=2))
        assert {"adv_whole", "adv_region"} <= set(mask_removal.train_step(small, net, opts, state, Engine()))
        break
    else:
        pytest.fail("no small size is allowed")


def test_a_run_may_teach_the_hole_net_alone():
    cfg = dataclasses.replace(TINY, edit_from=1.0, adversarial_from=1.0, region_from=1.0, ema=0.9)
    model, opts, state = make(cfg, cfg.steps - 1)
    finds, paints = weights(model.G.hole_net), weights(model.best_generator().editor)
    assert set(mask_removal.train_step(batch_of(cfg), model, opts, state, Engine())) == {"hole"}
    assert changed(finds, model.G.hole_net) and not changed(paints, model.best_generator().editor)


def test_rates_fall_together_but_a_critics_not_before_it_has_joined():
    cfg = dataclasses.replace(TINY, decay_from=0.4, adversarial_from=0.5, region_from=0.8, penalty="none")
    model, opts, state = make(cfg, 70)
    mask_removal.train_step(batch_of(cfg), model, opts, state, Engine())
    rate = {name: opt.param_groups[0]["lr"] for name, opt in opts.items()}
    assert rate["region"] == cfg.critic_learning_rate > rate["whole"] > 0 and rate["G"] < cfg.learning_rate / 2 + 1e-9


def test_without_a_decay_the_rate_stays_to_the_last_step():
    cfg = dataclasses.replace(TINY, decay_from=1.0)
    model, opts, state = make(cfg, cfg.steps - 1)
    mask_removal.train_step(batch_of(cfg), model, opts, state, Engine())
    assert opts["G"].param_groups[0]["lr"] == cfg.learning_rate


def test_the_penalty_comes_seldom_and_as_much_heavier():
    cfg = dataclasses.replace(TINY, penalty_every=2, lambda_penalty=7.0)
    norms = {}
    for step, every in ((0, 1), (0, 2), (1, 2)):
        model, opts, state = make(dataclasses.replace(cfg, penalty_every=every), step)
        batch, grads = batch_of(cfg), []
        engine = Engine()
        engine.step = lambda opt, kept=grads, net=model.D["whole"]: kept.extend(
            p.grad.clone() for p in net.parameters()
        )
        hole = batch["hole"]
        mask_removal.critic_step("whole", batch, batch["occluded"], hole, model, opts["whole"], state, engine)
        norms[step, every] = grads
    for once, twice, never in zip(norms[0, 1], norms[0, 2], norms[1, 2], strict=True):
        torch.testing.assert_close(twice - never, 2 * (once - never), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["unet", "published"])
def test_one_fixed_batch_is_learnt(name):
    cfg = dataclasses.replace(
        TINY, model=name, size=48, lambda_whole=0.0, lambda_region=0.0, steps=60, learning_rate=3e-3, ema=0.0,
        teacher=1.0,
    )  # fmt: skip
    model, opts, state = make(cfg)
    batch, first = batch_of(cfg), None
    coarse = torch.nn.functional.interpolate(batch["truth"], 4)
    batch["truth"] = torch.nn.functional.interpolate(coarse, 48, mode="bilinear")
    batch["occluded"] = composite(batch["truth"], torch.ones_like(batch["truth"]), batch["hole"])
    for step in range(cfg.steps):
        state.step = step
        logs = mask_removal.train_step(batch, model, opts, state, Engine())
        first = first or logs
    share = {"unet": 0.6, "published": 0.85}[name]  # its last layers are three channels wide and begin near zero
    assert logs["l1"] < share * first["l1"] and logs["ssim"] < share * first["ssim"]
    assert logs["hole"] < 0.5 * first["hole"]


def test_visible_pixels_come_back_bit_identical_and_the_given_hole_is_filled():
    model, _, _ = make(TINY)
    batch = batch_of(TINY)
    out = mask_removal.restore(model, batch["occluded"], batch["hole"])
    visible = (batch["hole"] == 0).expand_as(out.image)
    assert torch.equal(out.hole, batch["hole"])
    assert torch.equal(out.image[visible], batch["occluded"][visible])
    assert not torch.allclose(out.image[~visible], batch["occluded"][~visible])
    reverse = mask_removal.restore(model, batch["occluded"], 1 - batch["hole"])
    assert not torch.equal(reverse.image[visible], batch["occluded"][visible])


@pytest.mark.parametrize("name", ["unet", "published"])
def test_the_editing_net_never_sees_what_the_hole_hides(name):
    cfg = dataclasses.replace(TINY, model=name, size=48)
    model, _, _ = make(cfg)
    batch = batch_of(cfg)
    hidden = batch["occluded"] + batch["hole"] * torch.randn(4, 1, 48, 48, generator=generator(2, "n"))
    same = [model.G.edit(picture, batch["hole"]) for picture in (batch["occluded"], hidden)]
    torch.testing.assert_close(*same)
    assert not torch.allclose(model.G.edit(hidden, 1 - batch["hole"]), model.G.edit(hidden, batch["hole"]))


def test_a_mirrored_picture_has_a_mirrored_hole():
    model, _, _ = make(TINY)
    images = batch_of(TINY)["occluded"]
    here, mirrored = (mask_removal.found_hole(model.G, view) for view in (images, images.flip(-1)))
    torch.testing.assert_close(mirrored, here.flip(-1))
    assert not torch.allclose(here, here.flip(-1))


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "vae"), ("channels", 4), ("size", 40), ("width", 20), ("penalty", "gp2"), ("loss", "bce"),
     ("teacher", 2.0), ("batch", 0), ("learning_rate", 0.0), ("critic_downs", 6), ("feature_net", "vgg11"),
     ("lambda_region", -1.0), ("natural_every", -1), ("fit", "tilted"), ("perceptual", "l1"), ("attention", 5),
     ("penalty_every", 0), ("beta1", 2.0), ("enlarge", 3), ("steps", 100.5), ("small_size", 40), ("small_size", 16),
     ("find_until", -0.1), ("framed", 1.5), ("soft", -0.1)],
)  # fmt: skip
def test_impossible_settings_are_refused_by_name(field, value):
    with pytest.raises(BadConfig, match=field):
        dataclasses.replace(TINY, **{field: value})


def test_stages_out_of_order_are_refused():
    with pytest.raises(BadConfig, match="edit_from"):
        dataclasses.replace(TINY, edit_from=0.5, adversarial_from=0.2)
    with pytest.raises(BadConfig, match="find_until"):
        dataclasses.replace(TINY, edit_from=0.5, adversarial_from=0.5, find_until=0.2)


def test_profiles_and_published_settings():
    for profile in ("smoke", "laptop", "gpu"):
        assert mask_removal.Config.for_profile(profile).steps > 0
    with pytest.raises(BadConfig, match="profile"):
        mask_removal.Config.for_profile("huge")
    published = mask_removal.Config.published(feature_net="none")
    terms = [getattr(published, f"lambda_{name}") for name in ("l1", "ssim", "perceptual", "whole", "region")]
    assert terms == [100.0, 100.0, 100.0, 0.3, 0.7]
    for profile in ("smoke", "laptop", "gpu"):
        same = mask_removal.Config.for_profile(profile, model="published", channels=3, feature_net="none")
        assert dataclasses.replace(same, size=128, steps=published.steps) == published
    model = mask_removal.build(published)
    assert parameter_count(model.G.hole_net) == 5_685_408 and parameter_count(model.G.editor) == 3_253_074
    assert model.D["whole"](torch.zeros(1, 3, 128, 128)).shape == (1, 1, 14, 14)


def test_what_ships_fits_into_a_weight_file():
    model = mask_removal.build(mask_removal.Config.for_profile("gpu", channels=3, feature_net="none"))
    assert 2 * parameter_count(model.G) < 12_000_000


def test_weights_survive_the_round_trip(tmp_path):
    cfg = dataclasses.replace(TINY, attention=4)
    model, _, _ = make(cfg)
    path = tmp_path / "w.safetensors"
    card = {"system": "mask_removal", "config": dataclasses.asdict(cfg)}
    write_weights(path, {"G": model.best_generator()}, card)
    again, read = mask_removal.load(path)
    batch = batch_of(cfg)
    a, b = (mask_removal.restore(m.eval(), batch["occluded"], batch["hole"]).image for m in (model, again))
    torch.testing.assert_close(a, b, atol=2e-2, rtol=0)
    assert read == cfg
    card["config"]["width"] = 16
    write_weights(path, {"G": model.G}, card)
    with pytest.raises(BadWeights, match="another network"):
        mask_removal.load(path)
