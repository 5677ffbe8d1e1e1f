"""`python -m interlock.cli` is `interlock`."""

from interlock.cli import main

if __name__ == "__main__":
    main()
