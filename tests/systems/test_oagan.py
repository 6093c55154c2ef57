"""The OA-GAN system: who moves when, what is learnt, what is refused."""

import dataclasses

import pytest
import torch

from facelab.errors import BadConfig, BadWeights
from facelab.images import composite
from facelab.seeding import generator, seed_all
from facelab.systems import oagan
from facelab.train.engine import Engine
from facelab.train.state import State
from facelab.train.weights import write_weights

TINY = oagan.Config(
    size=32, channels=1, width=8, hole_width=8, critic_width=4, critic_downs=3, feature_net="none", batch=4,
    steps=100, adversarial_from=0.0, natural_every=2,
)  # fmt: skip


def make(cfg, step=0):
    seed_all(0)
    model = oagan.build(cfg)
    return model, oagan.optimizers(model, cfg), State(step, cfg.steps, generator(0, "t"), cfg)


def batch_of(cfg, count=4, natural=True):
    random = generator(1, "batch")
    draw = lambda c: torch.rand(count, c, cfg.size, cfg.size, generator=random)  # noqa: E731
    truth, hole = draw(cfg.channels) * 2 - 1, (draw(1) > 0.8).float()
    out = {"truth": truth, "hole": hole, "occluded": truth * (1 - hole) + hole, "clean": draw(cfg.channels) * 2 - 1}
    return out | ({"natural": draw(cfg.channels) * 2 - 1} if natural else {})


def weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def changed(before, net):
    return any(not torch.equal(value, net.state_dict()[name]) for name, value in before.items())


def test_critic_half_leaves_the_generator_alone():
    model, opts, state = make(TINY)
    before_G, before_D = weights(model.G), weights(model.D)
    batch = batch_of(TINY)
    oagan.critic_step(batch, batch["occluded"], model, opts["D"], state, Engine())
    assert changed(before_D, model.D)
    assert not changed(before_G, model.G)
    assert all(p.grad is None for p in model.G.parameters())


def test_generator_half_leaves_the_critic_alone():
    model, opts, state = make(TINY)
    batch, before = batch_of(TINY), weights(model.D)
    out, hole = oagan.guess(model.G, batch["occluded"], batch["hole"], 0.5)
    restored = composite(batch["occluded"], out.raw, hole)
    terms = oagan.paired_terms(batch, out, restored, model, TINY, Engine())
    terms |= oagan.adversarial_terms(batch, restored, model, TINY, Engine())
    oagan.generator_step(terms, model, opts["G"], state, Engine())
    assert not changed(before, model.D)
    assert all(p.grad is None for p in model.D.parameters())
    assert all(p.requires_grad for p in model.D.parameters())


def test_one_fixed_batch_is_learnt():
    cfg = dataclasses.replace(TINY, adversarial_from=1.0, steps=80, learning_rate=3e-3, ema=0.0)
    model, opts, state = make(cfg)
    batch, first = batch_of(cfg, natural=False), None
    for step in range(cfg.steps):
        state.step = step
        logs = oagan.train_step(batch, model, opts, state, Engine())
        first = first or logs
    assert logs["hidden"] < 0.5 * first["hidden"]
    assert logs["hole"] < 0.5 * first["hole"]


def test_rhythm_of_the_released_schedule():
    """Critic every step, generator every fifth, natural every tenth."""
    cfg = dataclasses.replace(TINY, n_critic=5, natural_every=2, two_step_penalty=True)
    model, opts, state = make(cfg)
    seen = []
    for step in range(20):
        state.step = step
        logs = oagan.train_step(batch_of(cfg), model, opts, state, Engine())
        assert "D" in logs
        seen.append("natural" if "tv" in logs else "paired" if "hidden" in logs else "-")
    assert [i + 1 for i, kind in enumerate(seen) if kind == "paired"] == [5, 15]
    assert [i + 1 for i, kind in enumerate(seen) if kind == "natural"] == [10, 20]


def test_nobody_waits_for_a_critic_that_has_not_joined():
    cfg = dataclasses.replace(TINY, n_critic=5, adversarial_from=0.5)
    model, opts, state = make(cfg)
    logs = oagan.train_step(batch_of(cfg), model, opts, state, Engine())
    assert "hidden" in logs and "D" not in logs


def test_the_gate_is_told_the_truth_evenly_so_that_halves_of_a_batch_are_like_the_whole():
    predicted, truth = torch.zeros(4, 1, 2, 2), torch.ones(4, 1, 2, 2)
    whole = oagan.gate(predicted, truth, 0.5)
    halves = torch.cat([oagan.gate(p, t, 0.5) for p, t in zip(predicted.split(2), truth.split(2), strict=True)])
    assert torch.equal(whole, halves)
    told = lambda share: oagan.gate(predicted, truth, share).mean().item()  # noqa: E731
    assert (told(0.0), told(0.25), told(0.5), told(1.0)) == (0.0, 0.25, 0.5, 1.0)
    assert torch.equal(oagan.gate(predicted, None, 0.5), predicted)


def test_natural_every_zero_means_never():
    for every, expected in ((0, False), (1, True)):
        cfg = dataclasses.replace(TINY, natural_every=every)
        model, opts, state = make(cfg)
        assert ("tv" in oagan.train_step(batch_of(cfg), model, opts, state, Engine())) is expected


def test_critic_joins_when_the_stage_says_so():
    cfg = dataclasses.replace(TINY, adversarial_from=0.5)
    model, opts, state = make(cfg)
    assert "D" not in oagan.train_step(batch_of(cfg), model, opts, state, Engine())
    state.step = 50
    assert "D" in oagan.train_step(batch_of(cfg), model, opts, state, Engine())


def test_two_step_penalty_is_two_adam_steps():
    for two_step, count in ((False, 1), (True, 2)):
        cfg = dataclasses.replace(TINY, two_step_penalty=two_step)
        model, opts, state = make(cfg)
        batch = batch_of(cfg)
        oagan.critic_step(batch, batch["occluded"], model, opts["D"], state, Engine())
        assert opts["D"].state[next(iter(model.D.parameters()))]["step"].item() == count


def test_visible_pixels_come_back_bit_identical():
    model, _, _ = make(TINY)
    batch = batch_of(TINY)
    out = oagan.restore(model, batch["occluded"], batch["hole"])
    visible = (batch["hole"] == 0).expand_as(out.image)
    assert torch.equal(out.image[visible], batch["occluded"][visible])
    assert not torch.allclose(out.image[~visible], batch["occluded"][~visible])


def test_a_given_hole_is_the_one_that_is_filled():
    model, _, _ = make(TINY)
    batch = batch_of(TINY)
    assert torch.equal(oagan.restore(model, batch["occluded"], batch["hole"]).hole, batch["hole"])
    reverse = oagan.restore(model, batch["occluded"], 1 - batch["hole"])
    visible = (batch["hole"] == 0).expand_as(reverse.image)
    assert not torch.equal(reverse.image[visible], batch["occluded"][visible])


def test_no_supervision_has_no_hole_loss():
    cfg = dataclasses.replace(TINY, lambda_hole=0.0)
    model, opts, state = make(cfg)
    logs = oagan.train_step(batch_of(cfg, natural=False), model, opts, state, Engine())
    assert "hole" not in logs
    assert {"area", "hole_tv"} <= set(logs)


def test_whom_the_critic_takes_for_real():
    """Only the pictures named in the setting reach the critic as real."""
    for who, used, unused in (("others", "clean", "truth"), ("same", "truth", "clean")):
        cfg = dataclasses.replace(TINY, critic_real=who, penalty="none")
        losses = {}
        for touched in ("", used, unused):
            (model, opts, state), batch = make(cfg), batch_of(cfg)
            if touched:
                batch[touched] = batch[touched] * 0.5
            fake = torch.zeros_like(batch["occluded"])
            losses[touched] = oagan.critic_step(batch, fake, model, opts["D"], state, Engine())["D_real"]
        assert losses[unused] == losses[""] != losses[used]


def test_identity_head_takes_labels():
    cfg = dataclasses.replace(TINY, classes=7)
    model, opts, state = make(cfg)
    batch = batch_of(cfg, natural=False) | {"label": torch.arange(4), "clean_label": torch.arange(4) + 3}
    assert oagan.train_step(batch, model, opts, state, Engine())["class"] > 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "vae"), ("channels", 4), ("size", 50), ("width", 20), ("penalty", "gp2"), ("loss", "bce"),
     ("teacher", 2), ("batch", 0), ("learning_rate", 0.0), ("critic_downs", 6), ("feature_net", "vgg11"),
     ("encoder", "vgg16"), ("lambda_adv", -1.0), ("natural_every", -1), ("blocks", -1), ("perceptual_from", 1.5),
     ("two_step_penalty", "false"), ("critic_downs", -1), ("beta1", 2.0), ("enlarge", 3), ("steps", 100.5)],
)  # fmt: skip
def test_impossible_settings_are_refused_by_name(field, value):
    with pytest.raises(BadConfig, match=field):
        dataclasses.replace(TINY, **{field: value})


@pytest.mark.parametrize("blind", [{"encoder": "none"}, {"model": "published"}])
def test_a_larger_picture_needs_eyes_that_see_it(blind):
    with pytest.raises(BadConfig, match="enlarge"):
        dataclasses.replace(TINY, enlarge=2, **blind)


def test_the_magnifying_glass_is_used_trained_and_kept(tmp_path):
    cfg = dataclasses.replace(TINY, enlarge=2)
    model, opts, state = make(cfg)
    batch, before = batch_of(cfg), weights(model.G.trunk.lateral)
    assert [tuple(seen.shape[1:]) for seen in model.G.trunk.look(batch["truth"])] == [
        (64, 16, 16), (24, 16, 16), (40, 8, 8), (112, 4, 4)
    ]  # fmt: skip
    oagan.train_step(batch, model, opts, state, Engine())
    after = model.G.trunk.lateral.state_dict()
    assert not any(torch.equal(before[name], after[name]) for name in before if name.endswith("weight"))
    write_weights(tmp_path / "w.safetensors", {"G": model.G}, {"system": "oagan", "config": dataclasses.asdict(cfg)})
    again, _ = oagan.load(tmp_path / "w.safetensors")
    assert again.G.trunk.enlarge == 2
    torch.testing.assert_close(again.G(batch["truth"]).raw, model.G(batch["truth"]).raw, rtol=0, atol=0.02)


def test_profiles_and_released_are_possible():
    for profile in ("smoke", "laptop", "gpu"):
        assert oagan.Config.for_profile(profile).steps > 0
    released = oagan.Config.released(feature_net="none")
    assert (released.n_critic, released.two_step_penalty, released.lambda_hole) == (5, True, 0.0)
    with pytest.raises(BadConfig, match="profile"):
        oagan.Config.for_profile("huge")


def test_weights_survive_the_round_trip(tmp_path):
    model, _, _ = make(TINY)
    path = tmp_path / "w.safetensors"
    write_weights(path, {"G": model.best_generator()}, {"system": "oagan", "config": dataclasses.asdict(TINY)})
    again, cfg = oagan.load(path)
    batch = batch_of(TINY)
    a, b = (oagan.restore(m.eval(), batch["occluded"], batch["hole"]).image for m in (model, again))
    torch.testing.assert_close(a, b, atol=2e-2, rtol=0)
    assert cfg == TINY
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BadWeights, match="bytes"):
        oagan.load(path)


def test_weights_of_another_network_are_refused(tmp_path):
    model, _, _ = make(TINY)
    card = {"system": "oagan", "config": dataclasses.asdict(dataclasses.replace(TINY, width=16))}
    path = write_weights(tmp_path / "w.safetensors", {"G": model.G}, card)
    with pytest.raises(BadWeights, match="another network"):
        oagan.load(path)


def test_missing_weights_say_so(tmp_path):
    with pytest.raises(BadWeights, match="Train first"):
        oagan.load(tmp_path / "none.safetensors")


def test_first_only_the_hole_is_learned_then_the_whole_picture():
    cfg = dataclasses.replace(TINY, complete_from=0.5, adversarial_from=1.0)
    batch = batch_of(cfg)
    for step, completes in ((0, False), (49, False), (50, True)):
        model, opts, state = make(cfg, step)
        found, rest = (weights(getattr(model.G, name)) for name in ("hole_head", "completion"))
        logs = oagan.train_step(batch, model, opts, state, Engine())
        assert changed(found, model.G.hole_head)
        assert changed(rest, model.G.completion) == completes == ("hidden" in logs)
    with pytest.raises(BadConfig, match="complete_from"):
        dataclasses.replace(cfg, lambda_hole=0.0)


@pytest.mark.parametrize("model_name", ["unet", "published"])
def test_the_finder_alone_says_what_the_whole_network_says(model_name):
    cfg = dataclasses.replace(TINY, model=model_name)
    model, _, _ = make(cfg)
    occluded = batch_of(cfg)["occluded"]
    torch.testing.assert_close(model.G.find(occluded)[1], model.G(occluded).hole_logits)


def test_feature_terms_join_late():
    cfg = dataclasses.replace(TINY, feature_net="effnet-lite0", perceptual_from=0.5, adversarial_from=1.0)
    for step, there in ((49, False), (50, True)):
        model, opts, state = make(cfg, step)
        assert ("perceptual" in oagan.train_step(batch_of(cfg), model, opts, state, Engine())) == there


def test_a_mirrored_picture_has_a_mirrored_hole():
    model, _, _ = make(TINY)
    occluded = batch_of(TINY)["occluded"]
    here, mirrored = (oagan.found_hole(model.G, view)[1] for view in (occluded, occluded.flip(-1)))
    torch.testing.assert_close(mirrored, here.flip(-1))
    assert not torch.allclose(here, here.flip(-1))


def test_a_hole_makes_up_its_mind_and_keeps_its_order():
    hole = torch.linspace(0, 1, 101)
    out = oagan.decided(hole)
    assert (out[hole < 0.095] == 0).all() and (out[hole > 0.755] == 1).all()
    assert (out.diff() >= 0).all() and 0.4 < out[(hole - 0.4).abs().argmin()] < 0.6
