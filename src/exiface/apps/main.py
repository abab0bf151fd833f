"""The command `exiface`.

Every command's module imports what it needs when it runs: `exiface detect` must not wait for torch.
"""

import atexit
import gc
import logging
import sys
import warnings

import typer

from exiface import __version__
from exiface.apps.calibrate import calibrate
from exiface.apps.checks import checks
from exiface.apps.detect import detect
from exiface.apps.drift import drift
from exiface.apps.evaluate import evaluate
from exiface.apps.explain import explain
from exiface.apps.features import features
from exiface.apps.fit import fit
from exiface.apps.import_checkpoint import import_checkpoint
from exiface.apps.info import info
from exiface.apps.prepare import prepare
from exiface.apps.score import score
from exiface.apps.serve import serve
from exiface.apps.supervise import supervise
from exiface.apps.train import train
from exiface.apps.verify import verify
from exiface.errors import UserError, missing

app = typer.Typer(
    name="exiface",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Tell camera photographs of faces from AI-generated ones.",
)
_JUDGING = (detect, explain, verify, score, serve, evaluate, drift)
_MAKING = (prepare, train, supervise, fit, calibrate, features, info, checks)
for command in (*_JUDGING, *_MAKING):
    app.command()(command)
# The extra that all of a command's work needs, where that is more than the package says.
_EXTRAS = {
    **dict.fromkeys(("evaluate", "drift"), "evaluate"),
    **dict.fromkeys(("prepare", "fit", "calibrate", "supervise"), "fit"),
    **dict.fromkeys(("train", "import"), "train"),
    "serve": "serve",
}
app.command("import")(import_checkpoint)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"exiface {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    pass


class _Log(logging.Handler):
    """Shows what the library warns of, and where asked for (`show_information`) what it chose."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line on standard error."""
        if record.levelno < logging.WARNING:
            typer.echo(record.getMessage(), err=True)
        else:
            typer.secho(f"warning: {record.getMessage()}", fg="yellow", err=True)


_LOG = _Log()


def main() -> None:
    """Run the command line; what the user can mend is said in one line, with exit status 2."""
    logger = logging.getLogger("exiface")
    logger.addHandler(_LOG)
    logger.setLevel(logging.WARNING)
    # Pillow warns of damaged metadata and of large images; what matters of it stands in the result.
    warnings.filterwarnings("ignore", module="PIL")
    # What modules make when they are imported stays: to look through it for garbage, again and
    # again while they are and once more at the end, takes a fifth of a short run.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    try:
        app()
        return
    except UserError as error:
        said = str(error)
    except ModuleNotFoundError as error:
        lacking = missing(error, _EXTRAS.get(sys.argv[1]) if len(sys.argv) > 1 else None)
        if lacking is None:
            raise
        said = str(lacking)
    except BrokenPipeError:  # `exiface detect ... | head`
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # a folder that can't be written to, a full disk
        said = f"{error.strerror or error}: {error.filename}"
    typer.secho(f"error: {said}", fg="red", err=True)
    sys.exit(2)
