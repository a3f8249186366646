"""DenseNet: what each layer sees, the tables' arithmetic, and recomputation that changes nothing but the memory."""

from __future__ import annotations

import copy
import weakref

import pytest
import torch
from torch import Tensor, nn

from neocog.architectures import create, record
from neocog.core.randomness import generator, seed_everything
from neocog.core.weights import renamed
from neocog.nn.dense import DenseBlock, dense_layer, dense_stages, transition
from neocog.nn.recompute import Recomputed, recomputed


def on_paper(name: str) -> nn.Module:
    with torch.device("meta"):
        return create(name)


def test_a_layer_sees_all_maps_before_it_and_adds_its_own_behind_them():
    block = DenseBlock(1, 2, 1, bottleneck=False).eval()
    for layer in block.children():
        nn.init.zeros_(layer.conv1.weight)
        layer.norm1.eps = 0.0
    with torch.no_grad():
        block.denselayer1.conv1.weight[0, 0, 1, 1] = 3  # three times the input
        block.denselayer2.conv1.weight[0, :, 1, 1] = torch.tensor([10.0, 1.0])  # ten times the input, plus that
    x = torch.tensor([[1.0, 2.0], [4.0, -1.0]]).view(1, 1, 2, 2)
    y = block(x)
    assert y[0, 0].tolist() == [[1, 2], [4, -1]]
    assert y[0, 1].tolist() == [[3, 6], [12, 0]]
    assert y[0, 2].tolist() == [[13, 26], [52, 0]]


def test_a_layer_is_norm_relu_convolution():
    assert list(dict(dense_layer(8, 4).named_children())) == ["norm1", "relu1", "conv1", "norm2", "relu2", "conv2"]
    layer = dense_layer(8, 4, bottleneck=False, dropout=0.2)
    assert list(dict(layer.named_children())) == ["norm1", "relu1", "conv1", "dropout1"]
    assert dense_layer(8, 4).conv1.weight.shape == (16, 8, 1, 1)


def test_compression_rounds_down_and_ends_with_the_last_block():
    stages, width = dense_stages(7, (1, 1), 2)
    assert list(stages) == ["denseblock1", "transition1", "denseblock2"]
    assert stages["transition1"].conv.out_channels == 4  # half of 9
    assert width == 6


@pytest.mark.parametrize(("depth", "growth"), [(40, 12), (100, 12), (100, 24)])
def test_plain_cifar_networks_by_the_arithmetic_of_section_3(depth, growth):
    maps, side = 16, 32
    params, macs = 27 * 16, 27 * 16 * side**2
    for block in range(3):
        for _ in range((depth - 4) // 3):
            params, macs = params + 9 * maps * growth + 2 * maps, macs + 9 * maps * growth * side**2
            maps += growth
        if block < 2:
            params, macs = params + maps**2 + 2 * maps, macs + maps**2 * side**2
            side //= 2
    entry = record(f"densenet{depth}_k{growth}_cifar10")
    assert (entry.params, entry.macs) == (params + 2 * maps + maps * 10 + 10, macs + maps * 10)


@pytest.mark.parametrize("name", ["densenet121", "densenet161", "densenet201"])
def test_names_of_other_libraries_cover_every_weight(name):
    ours = {key.rpartition(".")[0] for key in on_paper(name).state_dict()}
    entry = record(name)
    tables = [entry.renames["torchvision"], entry.renames["timm"], entry.renames.get("keras")]
    for table in filter(None, tables):
        leaves = {value for value in table.values() if not value.startswith("transition") or "." in value}
        assert leaves | {key for key in ours if key.startswith("transition")} == ours
    assert ("keras" in entry.renames) == (name != "densenet161")


def test_the_files_that_torchvision_offers_have_dotted_names():
    table = record("densenet121").renames["torchvision"]
    theirs = ["features.denseblock2.denselayer3.norm.1.weight", "features.denseblock2.denselayer3.norm1.weight"]
    ours = "denseblock2.denselayer3.norm1.weight"
    assert [list(renamed({name: torch.zeros(())}, table)) for name in theirs] == [[ours], [ours]]
    assert {value: key for key, value in table.items()}[ours.removesuffix(".weight")] == theirs[1].removesuffix(
        ".weight"
    )


def small(*, recompute: bool, bottleneck: bool = True, dropout: float = 0.0) -> nn.Module:
    """Returns two blocks with a transition, of the same weights whatever is recomputed."""
    seed_everything(7)
    stages, width = dense_stages(4, (3, 2), 3, bottleneck=bottleneck, dropout=dropout, recompute=recompute)
    return nn.Sequential(*stages.values(), nn.BatchNorm2d(width)).double()


@pytest.mark.parametrize(("bottleneck", "dropout"), [(True, 0.0), (False, 0.0), (True, 0.3), (False, 0.3)])
def test_recomputation_changes_neither_outputs_nor_gradients_nor_statistics(bottleneck, dropout):
    x = torch.randn(3, 4, 8, 8, dtype=torch.double, generator=generator(1))
    results = []
    for recompute in (False, True):
        network = small(recompute=recompute, bottleneck=bottleneck, dropout=dropout).train()
        inputs = x.clone().requires_grad_()
        for step in range(2):  # the second begins with statistics that the first has moved
            seed_everything(step)
            outputs = network(inputs)
            outputs.square().sum().backward()
        results.append(
            (outputs.detach(), inputs.grad, [each.grad for each in network.parameters()], network.state_dict())
        )
    torch.testing.assert_close(results[1], results[0], rtol=1e-9, atol=1e-9)
    assert results[1][3]["0.denselayer2.norm1.num_batches_tracked"] == 2


def test_each_layer_is_computed_again_and_its_last_convolution_is_not():
    block = DenseBlock(4, 2, 3, recompute=True).train()
    calls: list[str] = []
    for name, module in block.named_modules():
        if not list(module.children()):
            module.register_forward_hook(lambda *_, name=name: calls.append(name))
    outputs = block(torch.randn(2, 4, 5, 5, generator=generator(1)))
    calls.clear()
    outputs.sum().backward()
    again = ["norm1", "relu1", "conv1", "norm2", "relu2"]
    assert calls == [f"denselayer{layer}.{name}" for layer in (2, 1) for name in again]


def test_nothing_is_computed_again_outside_training():
    block = DenseBlock(4, 2, 3, recompute=True)
    calls: list[int] = []
    block.denselayer1.conv1.register_forward_hook(lambda *_: calls.append(1))
    x = torch.randn(2, 4, 5, 5, generator=generator(1), requires_grad=True)
    block.eval()(x).sum().backward()
    with torch.no_grad():
        block.train()(x)
    assert len(calls) == 2


class Kept:
    """Counts the numbers that autograd keeps for the backward pass, storages counted once."""

    def __init__(self) -> None:
        self.storages: dict[int, int] = {}
        self.alive: list[weakref.ref] = []

    def pack(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        self.storages[storage.data_ptr()] = storage.nbytes() // tensor.element_size()
        return tensor

    def __call__(self, network: nn.Module, inputs: Tensor) -> int:
        own = {each.untyped_storage().data_ptr() for each in [*network.parameters(), *network.buffers(), inputs]}
        with torch.autograd.graph.saved_tensors_hooks(self.pack, lambda tensor: tensor):
            outputs = network(inputs)
        outputs.sum().backward()
        return sum(size for place, size in self.storages.items() if place not in own)


def test_training_keeps_what_the_layers_add_alone():
    x = torch.randn(2, 4, 8, 8, generator=generator(1))
    plain = DenseBlock(4, 6, 3)
    sparing = copy.deepcopy(plain)
    sparing.recompute = True
    # The blocks' results: 3 maps for each of the 5 layers that later ones see, where the plain one keeps, for each
    # layer, the maps before it twice, and the 12 of its bottleneck twice.
    assert Kept()(sparing, x) == 2 * 64 * 3 * 5
    assert Kept()(plain, x) > 2 * 64 * sum(2 * (4 + 3 * layer) + 2 * 12 for layer in range(6)) - x.numel()


def test_a_sequence_is_recomputed_as_a_whole():
    seed_everything(1)
    layers = transition(4, 2, recompute=True)
    assert isinstance(layers, Recomputed)
    assert list(dict(layers.named_children())) == ["norm", "relu", "conv", "pool"]
    plain = transition(4, 2)
    plain.load_state_dict(layers.state_dict())
    x = torch.randn(2, 4, 6, 6, generator=generator(1))
    assert torch.equal(layers(x), plain(x))
    assert type(layers[:2]) is Recomputed


def test_statistics_come_back_after_an_error():
    norm = nn.BatchNorm2d(2).train()

    mean, passes = norm.running_mean, []

    def failing(x: Tensor) -> Tensor:
        y = norm(x).square()
        passes.append(norm.running_mean is mean)
        if len(passes) == 2:
            raise ValueError("in the second pass")
        return y.exp()

    outputs = recomputed(failing, norm, torch.randn(2, 2, 3, 3, generator=generator(1), requires_grad=True))
    moved = mean.clone()
    with pytest.raises(ValueError, match="second pass"):
        outputs.sum().backward()
    assert passes == [True, False]
    assert norm.running_mean is mean
    assert torch.equal(mean, moved)
    assert norm.num_batches_tracked == 1


@pytest.mark.parametrize("name", ["densenet121", "densenet100_k12_bc_cifar10"])
def test_recomputation_is_an_option_of_the_networks(name):
    with torch.device("meta"):
        network = create(name, recompute=True)
    assert all(block.recompute for block in network.modules() if isinstance(block, DenseBlock))
    assert network.state_dict().keys() == on_paper(name).state_dict().keys()


def test_dropout_of_cifar_networks_is_after_every_convolution_but_the_first():
    network = create("densenet100_k12_bc_cifar10", dropout=0.2)
    convolutions = sum(isinstance(module, nn.Conv2d) for module in network.modules())
    assert sum(isinstance(module, nn.Dropout) for module in network.modules()) == convolutions - 1
    assert not any(isinstance(module, nn.Dropout) for module in create("densenet100_k12_bc_cifar10").modules())
