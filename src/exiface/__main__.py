"""`python -m exiface` and `torchrun -m exiface`: the command line."""

from exiface.apps.main import main

main()
