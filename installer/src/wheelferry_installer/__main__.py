"""`python -m wheelferry_installer` is `bundle`."""

from wheelferry_installer.cli import main

if __name__ == "__main__":
    main()
