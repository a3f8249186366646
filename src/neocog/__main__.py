"""``python -m neocog`` is the command ``neocog``; ``torchrun -m neocog train ...`` runs it in several processes."""

from neocog.cli.main import main

if __name__ == "__main__":
    main()
