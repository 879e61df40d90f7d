"""Two kinds of networks side by side give the mean of what each gives alone."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from core.errors import ConfigError
from core.explain import EXPLAINERS, explainable_layers
from core.explain.layers import default_layer, feature_maps
from core.models import MODELS, FaceAndSlim, build
from core.preprocess import Preprocess

SHARE = 0.4


def parts(slim_classes: int = 6, classes: int = 7) -> tuple[nn.Module, nn.Module, FaceAndSlim]:
    torch.manual_seed(0)
    face = build("face_resnet", classes)
    slim = build("resnet14", slim_classes, width=8, columns=2)
    both = build("face_and_slim", classes, width=8)
    assert isinstance(both, FaceAndSlim)
    for network in (face, slim):  # so that batch norms do something
        network.train()
        with torch.no_grad():
            network(torch.randn(16, 3, 64, 64))
        network.eval()
    both.join(face, slim)
    return face, slim, both.eval()


def first_weights(both: FaceAndSlim) -> list[Tensor]:
    return [part.get_parameter("stem.conv.weight") for part in (both.face, both.slim)]


def as_slim_sees(batch: Tensor) -> Tensor:
    """By torch alone: back to shares of white, smaller, and normalised as usual."""
    own, usual = MODELS["face_and_slim"].preprocess, Preprocess()
    mean, std = (torch.tensor(values)[:, None, None] for values in (own.mean, own.std))
    white = F.interpolate(batch * std + mean, size=64, mode="bicubic")
    mean, std = (torch.tensor(values)[:, None, None] for values in (usual.mean, usual.std))
    return (white - mean) / std


def test_logits_are_the_mean_of_both_where_both_know_all_classes() -> None:
    face, slim, both = parts(slim_classes=7)
    batch = torch.randn(3, 3, 96, 96)

    with torch.inference_mode():
        expected = SHARE * face(batch) + (1 - SHARE) * slim(as_slim_sees(batch))
        torch.testing.assert_close(both(batch), expected, rtol=0, atol=1e-4)


def test_a_class_that_one_does_not_know_keeps_its_logit_and_the_others_their_mean() -> None:
    face, slim, both = parts()
    batch = torch.randn(3, 3, 96, 96)

    with torch.inference_mode():
        alone, other, found = face(batch), slim(as_slim_sees(batch)), both(batch)

    torch.testing.assert_close(found[:, 6], alone[:, 6], rtol=0, atol=1e-4)
    torch.testing.assert_close(found[:, :6].mean(1), alone[:, :6].mean(1), rtol=0, atol=1e-4)
    gap = SHARE * (alone[:, 0] - alone[:, 1]) + (1 - SHARE) * (other[:, 0] - other[:, 1])
    torch.testing.assert_close(found[:, 0] - found[:, 1], gap, rtol=0, atol=1e-4)


def test_one_layer_shows_what_both_look_at() -> None:
    face, slim, both = parts()
    batch = torch.randn(1, 3, 96, 96)

    fine = default_layer(both, batch, "fine")
    maps = feature_maps(both, batch, fine)

    assert fine == "fine"
    assert maps.shape == (1, 32 + 16, 48, 48)
    of_face = feature_maps(face, batch, "stages.stage1.2.relu2")
    of_slim = feature_maps(slim, as_slim_sees(batch), "stages.stage1.1.relu2")
    torch.testing.assert_close(maps[:, :32, ::2, ::2], of_face, rtol=0, atol=1e-4)
    torch.testing.assert_close(maps[:, 32:, 1::3, 1::3], of_slim, rtol=0, atol=1e-4)
    assert {"fine", "last"} <= set(explainable_layers(both, batch))


def test_a_class_activation_map_sums_to_the_logit() -> None:
    _, _, both = parts()
    batch = torch.randn(1, 3, 96, 96)

    maps = EXPLAINERS["cam"].maps(both, batch, torch.arange(7)[None], "last")[0]

    with torch.inference_mode():
        logits = both(batch)[0] - both.head.bias
    torch.testing.assert_close(maps.sum(dim=(1, 2)), logits, rtol=0, atol=1e-4)


def test_a_grey_plane_and_ones_give_what_three_normalised_planes_give() -> None:
    _, _, both = parts()
    scale, shift = (torch.from_numpy(part) for part in MODELS["face_and_slim"].preprocess.affine())
    grey = torch.randint(0, 256, (3, 1, 96, 96)).float()
    with torch.inference_mode():
        expected = both(grey * scale[:, None, None] + shift[:, None, None])
    before = [value.numel() for value in first_weights(both)]

    both.take_grey(scale, shift)

    with torch.inference_mode():
        found = both(torch.cat([grey, torch.ones_like(grey)], dim=1))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    assert [value.numel() * 3 / 2 for value in first_weights(both)] == before


def test_the_way_through_the_meeting_layers_changes_nothing_and_is_taken_by_whoever_looks() -> None:
    _, _, both = parts()
    batch = torch.randn(2, 3, 96, 96)

    through = both(batch).detach()  # gradients may be asked for
    with torch.inference_mode():
        torch.testing.assert_close(both(batch), through, rtol=0, atol=1e-5)
        both.fine.register_forward_hook(lambda *_: torch.zeros(2, 48, 48, 48))
        dark = both(batch)

    assert not torch.allclose(dark, through, atol=1e-3)
    torch.testing.assert_close(dark[0], dark[1])


def one_step(*, looks: bool) -> tuple[int, list[Tensor | None]]:
    """How often the meeting layers were passed, and logits and gradients of a training step."""
    _, _, both = parts()
    both.train().dropout.eval()  # a chance of its own at each pass
    passes: list[Tensor] = []
    if looks:  # whoever looks gets both layers in training, too
        for layer in (both.fine, both.last):
            layer.register_forward_hook(lambda *given: passes.append(given[2]))
    torch.manual_seed(1)
    logits = both(torch.randn(4, 3, 96, 96))
    F.cross_entropy(logits, torch.arange(4)).backward()  # type: ignore[no-untyped-call]
    return len(passes), [logits.detach(), *(part.grad for part in first_weights(both))]


def test_a_training_step_learns_the_same_around_the_meeting_layers_as_through_them() -> None:
    (none, around), (two, through) = (one_step(looks=looks) for looks in (False, True))

    assert (none, two) == (0, 2)
    for found, expected in zip(around, through, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def test_a_training_network_shows_its_meeting_layers_to_backward_hooks() -> None:
    _, _, both = parts()
    both.train()
    seen = []
    both.last.register_full_backward_hook(lambda *_: seen.append(1))

    both(torch.randn(2, 3, 96, 96)).sum().backward()

    assert seen == [1]


def test_other_networks_cannot_be_joined() -> None:
    face, slim, both = parts()

    with pytest.raises(ConfigError, match="Name a face_resnet first, then a resnet14"):
        both.join(slim, face)
