"""Which layers move: everything else keeps its weights and its statistics, to the last bit."""

from __future__ import annotations

from torch import nn

from neocog.core.errors import UsageError, near_names

# The attribute of a module whose weights never move, whatever trains: a static table of word vectors.
FIXED = "fixed"


def train_only(network: nn.Module, prefixes: tuple[str, ...] | None) -> tuple[str, ...]:
    """Lets the modules under ``prefixes`` move and freezes all others; None lets everything move.

    A prefix is a module's or parameter's dotted name (``"head"``, ``"blocks.5"``) and stands for all that lies below
    it. Modules outside stop asking for gradients and are put in evaluation mode, so that the running statistics of
    their batch norms stay as they are and their dropouts let everything through. A module that merely contains one
    that moves stays in training mode itself. A module that says it is ``fixed`` never moves. Calling it again, or after
    ``network.train()``, gives the same state; ``network.train()`` alone undoes the evaluation mode, so this has to be
    called after it.

    Returns the names of the top-level modules in which a parameter moves, in the network's order.
    Raises UsageError for a prefix that nothing bears, with near names.
    """
    _refuse_unknown(network, prefixes or ())
    for name, module in network.named_modules(remove_duplicate=False):
        wanted = prefixes is None or _contains(name, prefixes) or is_under(name, prefixes)
        module.training = wanted and not getattr(module, FIXED, False)
    fixed = {id(weight) for each in network.modules() if getattr(each, FIXED, False) for weight in each.parameters()}
    moving = set()
    for name, parameter in network.named_parameters(remove_duplicate=False):
        if (prefixes is None or is_under(name, prefixes)) and id(parameter) not in fixed:
            moving.add(id(parameter))
    for parameter in network.parameters():
        parameter.requires_grad_(id(parameter) in moving)
    return tuple(
        name for name, child in network.named_children() if any(id(weight) in moving for weight in child.parameters())
    )


def is_under(name: str, prefixes: tuple[str, ...]) -> bool:
    """Returns whether the module or parameter ``name`` is one of ``prefixes`` or lies below one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def _contains(name: str, prefixes: tuple[str, ...]) -> bool:
    return bool(prefixes) if not name else any(prefix.startswith(name + ".") for prefix in prefixes)


def _refuse_unknown(network: nn.Module, prefixes: tuple[str, ...]) -> None:
    known = {name for name, _ in network.named_modules(remove_duplicate=False) if name}
    known |= {name for name, _ in network.named_parameters(remove_duplicate=False)}
    for prefix in prefixes:
        if prefix not in known:
            children = ", ".join(name for name, _ in network.named_children())
            raise UsageError(
                f"no layer is called {prefix!r}.{near_names(prefix, known)} "
                f"The network's top-level layers are: {children or 'none'}."
            )
