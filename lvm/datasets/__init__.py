"""Data sets on disk: known ones, and images with labels of a user's own.

The public names are listed in `__init__.pyi` and imported on first use; everything else is imported
from its module.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
