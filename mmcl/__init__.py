"""Multimodal contrastive learning: encoders, objectives, optimisers and training as pure functions.

The public names are listed in `__init__.pyi` and imported on first use; everything else is imported
from its module.
"""

from importlib.metadata import version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = version("misalign")
