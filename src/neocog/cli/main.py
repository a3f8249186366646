"""The command ``neocog``: finds the verb, and turns whatever goes wrong into one line and an exit status."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from neocog import __version__
from neocog.cli.process import tune
from neocog.core.errors import NeocogError, near_names

DONE, SOME_REFUSED, NOTHING_DONE = 0, 1, 2

# One line a verb, so that the help needs none of their modules.
VERBS = {
    "train": "Train a network on your data: a run folder with the model file, metrics and a report.",
    "test": "Measure a model on data: accuracy with its interval, per class, worst mistakes.",
    "predict": "Answer for files, folders, globs or lists: one row an input, in order.",
    "generate": "Write text with a language model, at any temperature, behind any prompt.",
    "explore": "Walk through a network in the browser, with the arithmetic of every pixel.",
    "look": "See what a model sees: maps, filters, patches, with scores of their trustworthiness.",
    "dream": "Make pictures that excite a unit, a layer or a class most.",
    "check": "Examine data for what spoils training: corrupt, duplicate, leaking; deletes nothing.",
    "export": "Write a model's weights as torchvision or timm name them.",
    "zoo": "List the networks, or one network layer by layer.",
}


class Verbs(click.Group):
    """The group of verbs; a verb's module is imported only when that verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Returns the verbs in the order in which a newcomer meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Imports and returns one verb's command."""
        if cmd_name not in VERBS:
            raise click.UsageError(
                f"no verb is called {cmd_name!r}.{near_names(cmd_name, VERBS)} `neocog --help` lists them."
            )
        command: click.Command = import_module(f"neocog.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Writes the verbs from the table above, without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="neocog %(version)s")
def neocog() -> None:
    """The workbench for convolutional networks.

    `neocog train PHOTOS` trains on a folder of class folders; `neocog train` alone on handwritten digits.
    `neocog VERB --help` explains a verb.
    """


def run(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns its exit status: 0 done, 1 done with some inputs refused, 2 nothing done."""
    try:
        status = neocog.main(arguments, prog_name="neocog", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as question:
        click.echo(question.format_message())
        return DONE
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("NEOCOG_TRACEBACK") and not isinstance(error, click.ClickException):
            raise
        return _refuse(_reason(error))
    return status if isinstance(status, int) else DONE


def _reason(error: BaseException) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, NeocogError):
        return str(error)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return "stopped by you (Ctrl-C)."
    return f"unexpected {type(error).__name__}: {error} (NEOCOG_TRACEBACK=1 shows where; please report it)"


def _refuse(message: str) -> int:
    line = " ".join(message.split())
    click.echo(f"neocog: {line}", err=True)
    return NOTHING_DONE


def main() -> None:
    """The entry point of the command ``neocog``."""
    tune()
    sys.exit(run())
