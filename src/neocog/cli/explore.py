"""``neocog explore``: the page on which one walks through a network; its address on stderr."""

from __future__ import annotations

import click


@click.command("explore")
@click.argument("model", type=click.Path())
@click.argument("data", required=False, type=click.Path())
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="Port; 0 is a free one.")
@click.option("--no-browser", is_flag=True, help="Print the address, open nothing.")
@click.option("--html", metavar="FILE", help="Serve nothing: write one page for a picture, to be mailed.")
@click.option(
    "--picture", metavar="IMAGE", help="The picture, or text, of --html; the first sample of DATA unless given."
)
@click.option("--root", metavar="FOLDER", help="Where local copies of known data sets lie.")
@click.option("--encoding", help="Encoding of files of texts; UTF-8 unless told, e.g. latin-1.")
@click.option("--text-column", help="Column of a table that holds the texts.")
@click.option("--label-column", help="Column of a table of texts that holds the labels.")
@click.option("--device", help="cpu, cuda or cuda:N; a GPU when there is one.")
@click.option("--net", metavar="MODULE:FUNCTION", help="The model's network, where it is your own: its code then runs.")
def command(
    model: str,
    data: str | None,
    port: int,
    no_browser: bool,
    html: str | None,
    picture: str | None,
    root: str | None,
    encoding: str | None,
    text_column: str | None,
    label_column: str | None,
    device: str | None,
    net: str | None,
) -> None:
    """Walk through MODEL layer by layer in the browser, with the arithmetic of every pixel, or word.

    MODEL is a model file, or a network of the zoo with its ImageNet weights (efficientnet_lite0 comes with the
    installation). DATA, as `neocog train` takes it, brings samples to choose from. The page answers on this machine
    alone; the address that it prints holds a token.
    """
    from neocog.web.explore import explore

    explore(
        model,
        data,
        port=port,
        browser=not no_browser,
        html=html,
        picture=picture,
        root=root,
        encoding=encoding,
        text_column=text_column,
        label_column=label_column,
        device=device,
        net=net,
        say=lambda line: click.echo(line, err=True),
    )
