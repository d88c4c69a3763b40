"""Makes `python -m bots` the same as `atom`."""

from bots.cli import main

if __name__ == "__main__":
    main()
