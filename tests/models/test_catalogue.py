"""The networks against the paper's numbers and against torchvision."""

import subprocess
import sys

import pytest
import torch
import torchvision
from torch import nn

from core.errors import ConfigError
from core.models import MODELS, SlimResNet, build, describe, parameter_count, summary

# Paper, Table 2; preliminary report; sibling report (7 classes).
PUBLISHED = {
    "gimefive": (15, 10_478_086),
    "gimefive_plain": (15, 10_478_086),
    "gimefive_se": (16, 10_478_598),
    "gimefive_nobn": (10, 10_474_118),
    "gimefive_baseline": (13, 2_606_086),
    "gimefive_deep": (17, 41_950_726),
    "gimefive_res": (25, 95_051_014),
    "vgg": (16, 72_460_742),
    "resnet18": (18, 11_179_590),
    "resnet34": (34, 21_287_750),
    "mini_xception": (None, 56_951),
}
# By hand: 928 of the stem, 131_712 + 525_568 + 2_099_712 of the stages, 1_542 of the head.
# Side by side: 4_397_600 + 2 * (2_759_462 - 1_542) + 6 * (256 + 512 + 1).
OURS = {
    "resnet14": (14, 2_759_462), "face_resnet": (28, 4_399_142), "face_and_slim": (28, 9_918_054),
}  # fmt: skip
NETWORKS = PUBLISHED | OURS


def test_every_network_is_registered_and_pinned() -> None:
    new = {name: describe(name) for name in MODELS if name not in NETWORKS}
    rows = {name: (row["layers"], row["parameters"]) for name, row in new.items()}

    assert not rows, f"Count by hand whether this is right, then add it to OURS: {rows}"
    assert set(MODELS) == set(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_and_parameters_are_the_known_ones(name: str) -> None:
    row = describe(name)

    assert (row["layers"], row["parameters"]) == NETWORKS[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_takes_its_own_preprocessing_and_gives_one_logit_a_class(name: str) -> None:
    preprocess = MODELS[name].preprocess
    model = build(name, classes=5).eval()

    with torch.inference_mode():
        logits = model(torch.zeros(2, preprocess.channels, preprocess.crop, preprocess.crop))

    assert logits.shape == (2, 5)
    assert torch.equal(logits[0], logits[1])


@pytest.mark.parametrize("name", NETWORKS)
def test_rectifiers_are_modules_that_work_on_copies(name: str) -> None:
    rectifiers = [part for part in build(name).modules() if isinstance(part, nn.ReLU)]

    assert rectifiers
    assert not any(part.inplace for part in rectifiers)


@pytest.mark.parametrize("name", NETWORKS)
def test_explanations_start_at_the_last_convolution(name: str) -> None:
    with torch.device("meta"):  # names only
        parts = dict(build(name).named_modules())

    main = [path for path, part in parts.items() if isinstance(part, nn.Conv2d)]
    main = [path for path in main if "shortcut" not in path]
    own = {"face_and_slim": "last"}.get(name, main[-1])  # where two last convolutions meet
    assert getattr(parts[""], "explain_layer", None) == own
    assert own in parts


def test_shapes_alone_do_not_load_the_compiler() -> None:
    """It takes seconds and 130 MB, in every process that opens a checkpoint."""
    code = (
        "import sys, torch; from core.models import MODELS, build\n"
        "with torch.device('meta'):\n"
        "    [build(name) for name in MODELS]\n"
        "print([name for name in ('torch._dynamo', 'sympy') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split("\n")[0] == "[]"


@pytest.mark.parametrize(("name", "factory"), [("resnet18", "resnet18"), ("resnet34", "resnet34")])
def test_resnets_have_the_weights_of_torchvisions(name: str, factory: str) -> None:
    reference = getattr(torchvision.models, factory)(num_classes=6)

    ours = sorted(tuple(value.shape) for value in build(name).parameters())

    assert ours == sorted(tuple(value.shape) for value in reference.parameters())


def test_resnet_computes_what_torchvision_computes_without_its_first_pooling() -> None:
    torch.manual_seed(0)
    reference = torchvision.models.resnet18(num_classes=6).eval()
    reference.maxpool = nn.Identity()
    model = build("resnet18").eval()
    model.load_state_dict(
        dict(zip(model.state_dict(), reference.state_dict().values(), strict=True))
    )
    batch = torch.randn(2, 3, 64, 64)

    with torch.inference_mode():
        torch.testing.assert_close(model(batch), reference(batch))


def test_a_one_block_gimefive_gives_the_number_worked_out_by_hand() -> None:
    model = build("gimefive_nobn", classes=2, depth=1, fc_depth=1, width=1).eval()
    with torch.no_grad():
        for value in model.parameters():
            value.zero_()
        model.get_parameter("blocks.block1.conv.weight")[0, :, 1, 1] = (
            1.0  # the sum of the three channels
        )
        model.get_parameter("blocks.block1.conv.bias").fill_(-2.0)
        model.get_parameter("head.fc1.weight").copy_(torch.tensor([[1.0], [-3.0]]))
        model.get_parameter("head.fc1.bias").copy_(torch.tensor([0.5, 0.0]))
    batch = torch.zeros(1, 3, 2, 4)
    batch[0, :, 0, 0] = 1.0  # 3 - 2 = 1 after the convolution, the maximum of the left cell

    logits = model(batch)

    # cells 1 and relu(-2) = 0, mean 0.5
    torch.testing.assert_close(logits, torch.tensor([[1.0, -1.5]]))


def test_squeeze_excitation_without_weights_halves_every_channel() -> None:
    from core.models.blocks import SqueezeExcitation

    block = SqueezeExcitation(16, reduction=4)
    nn.init.zeros_(block.up.weight)
    features = torch.ones(1, 16, 2, 2)

    torch.testing.assert_close(block(features), 0.5 * features)  # sigmoid(0) = 0.5


def test_average_pooling_and_depths_of_the_grid_are_selectable() -> None:
    model = build("gimefive", depth=4, fc_depth=2, pooling="average", head_dropout=0.2)

    kinds = [type(part) for part in model.modules()]

    assert kinds.count(nn.AvgPool2d) == 4
    assert kinds.count(nn.Linear) == 2


@pytest.mark.parametrize(
    ("name", "options"),
    [("gimefive", {"depth": 9}), ("gimefive", {"pooling": "min"}), ("vgg", {"depth": 4})],
)
def test_impossible_options_are_refused_with_a_sentence(
    name: str, options: dict[str, object]
) -> None:
    with pytest.raises(ConfigError, match="depth"):
        build(name, **options)  # type: ignore[arg-type]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="gimefive_baseline"):
        build("alexnet")


@pytest.mark.parametrize("name", ["gimefive_se", "vgg", "mini_xception", "resnet18"])
def test_summary_adds_up_to_all_parameters(name: str) -> None:
    rows = summary(name)

    assert sum(row.parameters for row in rows) == parameter_count(build(name))
    assert all(row.megabytes >= row.parameters * 4 / 1e6 for row in rows)


def test_summary_of_the_first_block_is_what_the_paper_draws() -> None:
    first, norm, _, pool = summary("gimefive_plain")[:4]

    assert (first.name, first.output, first.parameters) == (
        "blocks.block1.conv", (64, 64, 64), 3 * 64 * 9 + 64,
    )  # fmt: skip
    assert (norm.kind, norm.parameters) == ("BatchNorm2d", 128)
    assert pool.output == (64, 32, 32)


def test_columns_give_the_mean_of_their_networks() -> None:
    torch.manual_seed(0)
    members = [build("resnet14", classes=3, width=8).eval() for _ in range(2)]
    for part in members[1].modules():
        if isinstance(part, nn.BatchNorm2d):  # else both normalise alike
            assert part.running_mean is not None
            part.running_mean.uniform_(-1, 1)
            part.weight.data.uniform_(0.5, 1.5)
    pair = SlimResNet(3, width=8, columns=2).eval()

    pair.join([member.state_dict() for member in members])

    batch = torch.randn(4, 3, 64, 64)
    with torch.inference_mode():
        expected = sum(member(batch) for member in members) / 2
        torch.testing.assert_close(pair(batch), expected, rtol=0, atol=1e-5)
    assert parameter_count(pair) == 2 * parameter_count(members[0]) - 3  # one bias for both


@pytest.mark.parametrize("columns", [1, 3])
def test_columns_want_one_network_each(columns: int) -> None:
    member = build("resnet14", width=8)
    network = SlimResNet(width=8, columns=columns)

    with pytest.raises(ConfigError, match=f"2 networks for {columns} columns"):
        network.join([member.state_dict(), member.state_dict()])


def test_a_network_without_columns_is_refused() -> None:
    with pytest.raises(ConfigError, match="columns is 0"):
        build("resnet14", columns=0)
