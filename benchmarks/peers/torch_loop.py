"""The loop that a PyTorch tutorial shows: default memory layout, fp32, the optimiser as its constructor makes it.

The pictures are normalised floats in memory beforehand, so that no step pays for that. Variant ``loader`` takes its
batches from a DataLoader over a TensorDataset, in the process itself; ``slices`` indexes the tensors by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import neocog
from peers import measuring
from peers.measuring import ENDLESS, Answer, Orders, Pictures, Stopwatch

Batches = Iterator[tuple[Tensor, Tensor]]


def slices(inputs: Tensor, targets: Tensor, size: int) -> Batches:
    for chosen in torch.randperm(len(inputs)).split(size):
        yield inputs[chosen], targets[chosen]


def make_optimiser(network: nn.Module, orders: Orders) -> torch.optim.Optimizer:
    if orders.optimiser == "adam":
        return torch.optim.Adam(network.parameters(), lr=orders.learning_rate, eps=orders.epsilon)
    return torch.optim.SGD(network.parameters(), lr=orders.learning_rate, momentum=orders.momentum)


def train(network: nn.Module, orders: Orders, data: Pictures) -> Stopwatch:
    inputs, targets = torch.from_numpy(data.normalised(data.train)), torch.from_numpy(data.train_labels)
    loader = DataLoader(TensorDataset(inputs, targets), orders.batch, shuffle=True)
    optimiser, criterion, stopwatch = make_optimiser(network, orders), nn.CrossEntropyLoss(), Stopwatch(orders)
    network.train()
    for _ in range(orders.epochs or ENDLESS):
        batches: Batches = iter(loader) if orders.variant == "loader" else slices(inputs, targets, orders.batch)
        for x, y in batches:
            optimiser.zero_grad()
            loss = criterion(network(x.to(orders.device)), y.to(orders.device))
            loss.backward()
            optimiser.step()
            if orders.epochs == 0 and stopwatch.step(loss.item):
                return stopwatch
    return stopwatch


@torch.inference_mode()
def accuracy(network: nn.Module, orders: Orders, data: Pictures) -> float:
    network.eval()
    inputs = torch.from_numpy(data.normalised(data.test)).to(orders.device)
    predicted = torch.cat([network(x).argmax(1) for x in inputs.split(100)]).cpu()
    return float((predicted == torch.from_numpy(data.test_labels)).float().mean())


def main() -> None:
    orders = measuring.orders()
    torch.manual_seed(orders.seed)
    network = neocog.create(orders.network, classes=10, channels=3).to(orders.device)
    data = measuring.pictures(orders)
    stopwatch = train(network, orders, data)
    params = sum(parameter.numel() for parameter in network.parameters())
    versions = {"torch": torch.__version__}
    if orders.epochs:
        measuring.answer(Answer(params, versions, accuracy=accuracy(network, orders, data)))
    else:
        measuring.answer(Answer(params, versions, **stopwatch.rates()))


if __name__ == "__main__":
    main()
