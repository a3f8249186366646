"""The picture of a network: how it is folded, where the blocks stand, and what the SVG says."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
import torch

from neocog.architectures import create, networks, record
from neocog.core.graph import Node, Role, network_graph
from neocog.report.diagram import network_svg
from neocog.report.folding import MOST_UNITS, Unit, drawn_nodes, fold, insides
from neocog.report.placing import Row, rows

SVG = "{http://www.w3.org/2000/svg}"


def graph_of(name: str) -> tuple[Node, ...]:
    with torch.device("meta"):
        network = create(name)
    return drawn_nodes(network_graph(network, record(name).input))


def conv(name: str, *sources: int, shape: tuple[int, ...] = (8, 4, 4), owners: tuple[str, ...] = ()) -> Node:
    return Node(
        name, tuple((each, "Block") for each in owners), "Conv2d", "convolution", sources, shape, (3, 3), (1, 1)
    )


def other(role: Role, kind: str, *sources: int, owners: tuple[str, ...] = ()) -> Node:
    return Node("", tuple((each, "Block") for each in owners), kind, role, sources, (8, 4, 4))


START = Node("input", (), "input", "input", (), (8, 4, 4))


def test_what_has_no_block_of_its_own_is_drawn_with_the_layer_before_it() -> None:
    nodes = (START, conv("a", 0), other("other", "ReLU", 1), conv("b", 2), other("join", "+", 3, 2))
    drawn = drawn_nodes(nodes)
    assert [node.name or node.kind for node in drawn] == ["input", "a", "b", "+"]
    assert [node.sources for node in drawn] == [(), (0,), (1,), (2, 1)]


def test_a_join_of_one_thing_with_itself_is_none() -> None:
    nodes = (START, conv("a", 0), other("other", "Sigmoid", 1), other("join", "×", 1, 2))
    assert [node.name for node in drawn_nodes(nodes)] == ["input", "a"]


def blocks(count: int) -> tuple[Node, ...]:
    """An input, and residual blocks of two convolutions each."""
    nodes = [START]
    for block in range(count):
        last, owner = len(nodes) - 1, f"stage.{block}"
        nodes += [
            conv(f"{owner}.a", last, owners=("stage", owner)),
            conv(f"{owner}.b", last + 1, owners=("stage", owner)),
        ]
        nodes.append(other("join", "+", last + 2, last, owners=("stage", owner)))
    return tuple(nodes)


def test_few_layers_are_all_drawn() -> None:
    units = fold(blocks(3))
    assert len(units) == 10
    assert not any(unit.folded for unit in units)


def test_many_are_folded_and_equal_ones_are_one() -> None:
    first, unit = fold(blocks(30))
    assert (first.kind, unit.name, unit.kind, unit.repeats) == ("input", "stage.0", "Block", 30)
    assert unit.sources == (0,)
    [(opened, inner)] = insides(blocks(30), (first, unit), most=8)
    assert opened is unit
    assert [each.kind for each in inner] == ["input", "Conv2d", "Conv2d", "+"]
    assert inner[3].sources == (0, 2)


def test_a_change_of_shape_ends_a_run() -> None:
    nodes = blocks(12)

    def renamed(node: Node) -> Node:
        owners = tuple((name.replace("stage", "next"), kind) for name, kind in node.owners)
        sources = tuple(source + len(nodes) - 1 for source in node.sources)
        return replace(node, name=node.name.replace("stage", "next"), owners=owners, sources=sources, shape=(16, 2, 2))

    units = fold((*nodes, *map(renamed, nodes[1:])))
    assert [unit.name for unit in units] == ["input", "stage.0", "next.0", "next.1"]
    assert [unit.repeats for unit in units] == [1, 12, 1, 11], "the first of the new shape reads the old one"


@pytest.mark.parametrize(
    "name", ["resnet18", "resnet110", "densenet121", "googlenet", "inception_v3", "shufflenet_v2_x1_0"]
)
def test_pictures_of_networks_stay_small(name: str) -> None:
    if name not in networks():
        pytest.skip(f"{name} is not there")
    graph = graph_of(name)
    units = fold(graph)
    assert 5 <= len(units) <= MOST_UNITS
    assert sum(len(unit.nodes) * unit.repeats for unit in units) == len(graph)
    for index, unit in enumerate(units[1:], 1):
        assert unit.sources and max(unit.sources) < index


def placed(units: tuple[Unit, ...], most: float = 1000.0) -> list[Row]:
    return rows(units, lambda _: (10.0, 20.0), lambda _: (40.0, 50.0), most)


def unit(*sources: int, kind: str = "Conv2d") -> Unit:
    return Unit("u", kind, (0,), sources, (8, 4, 4))


def test_branches_have_lanes_and_skips_have_arcs() -> None:
    [row] = placed((unit(), unit(0), unit(1), unit(0), unit(2, 3, kind="+")))
    heights = [box.y for box in row.boxes]
    assert heights[1] == heights[2] != heights[3]
    assert heights[0] == heights[4] == pytest.approx((heights[1] + heights[3]) / 2)
    assert all(edge.level == 0 for edge in row.edges)
    [row] = placed((unit(), unit(0), unit(1), unit(2, 0, kind="+")))
    assert [(edge.source, edge.target) for edge in row.edges if edge.level] == [(0, 3)]
    assert len({box.y for box in row.boxes}) == 1
    assert row.top > 0


def test_nested_skips_lie_above_each_other() -> None:
    [row] = placed((unit(), unit(0), unit(1), unit(2, 1, kind="+"), unit(3, 0, kind="+")))
    assert {(edge.source, edge.target): edge.level for edge in row.edges if edge.level} == {(1, 3): 1, (0, 4): 2}


def test_boxes_of_a_row_do_not_overlap() -> None:
    [row] = placed((unit(), unit(0), unit(0), unit(0), unit(3), unit(1, 2, 4, kind="concat")))
    boxes = [(box.left, box.right, box.y - 25, box.y + 25) for box in row.boxes]
    for place, one in enumerate(boxes):
        for other_box in boxes[place + 1 :]:
            apart = one[1] <= other_box[0] or other_box[1] <= one[0]
            assert apart or one[3] <= other_box[2] or other_box[3] <= one[2]


def test_a_long_chain_goes_on_in_the_next_row() -> None:
    chain = tuple(unit(place - 1) if place else unit() for place in range(40))
    found = placed(chain, most=500.0)
    assert len(found) > 3
    assert all(row.width <= 500 for row in found)
    assert [row.boxes[0].unit.kind for row in found[1:]] == ["continued"] * (len(found) - 1)
    assert sum(len(row.boxes) for row in found) == 40 + len(found) - 1


def test_a_row_is_not_cut_through_a_skip() -> None:
    units = [unit(), *(unit(place) for place in range(18)), unit(18, 0, kind="+")]
    assert len(placed(tuple(units), most=300.0)) <= 2


def test_the_svg_is_whole_follows_light_and_dark_and_asks_nothing_of_the_network() -> None:
    with torch.device("meta"):
        nodes = network_graph(create("resnet18"), (3, 224, 224))
    drawn = network_svg("<net> & co", "input 3×224×224", nodes)
    root = ET.fromstring(drawn)
    assert root.tag == f"{SVG}svg"
    words = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    assert "<net> & co" in words
    assert {"7×7 /2", "max 3×3 /2", "BasicBlock ×2", "64×112×112", "avg", "dense", "512×7×7", "+"} <= set(words)
    assert "prefers-color-scheme: dark" in drawn
    assert re.findall(r"(?:href|src)=|https?://(?!www\.w3\.org/2000/svg)|@import", drawn) == []
    described = root.findtext(f"{SVG}desc")
    assert described is not None and "BasicBlock times 2" in described
    assert drawn == network_svg("<net> & co", "input 3×224×224", nodes)


def test_everything_drawn_lies_on_the_page() -> None:
    with torch.device("meta"):
        drawn = network_svg("t", "l", network_graph(create("mobilenet_v2"), (3, 224, 224)))
    root = ET.fromstring(drawn)
    wide, high = (float(root.attrib[side]) for side in ("width", "height"))
    for group in root.iter(f"{SVG}g"):
        x, y = map(float, re.findall(r"[\d.]+", group.attrib["transform"]))
        for box in group.iter(f"{SVG}rect"):
            assert x + float(box.attrib["x"]) >= 0 and x + float(box.attrib["x"]) + float(box.attrib["width"]) <= wide
            assert y + float(box.attrib["y"]) >= 0 and y + float(box.attrib["y"]) + float(box.attrib["height"]) <= high
