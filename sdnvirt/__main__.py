"""``python -m sdnvirt`` is ``sdnvirt``."""

from sdnvirt.cli import main

if __name__ == "__main__":
    main()
