"""A pytest plugin that gives a foreign test suite a software key instead of a real one.

Load it with `-p tests.strangers.software_key_plugin`.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.software_key import EXTENSIONS, AutomaticTouch, Model, NoTouch, SoftwareKey, plugged_in

from .controller import controller

# The suite asks the robot arm to touch the button, but for a finger on the sensor it asks the person who watches.
KEY = SoftwareKey(model=Model(fingerprint_reader=True, extensions=EXTENSIONS), touch=NoTouch(), sensor=AutomaticTouch())


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Plug the key in before the suite imports what looks for keys."""
    stack = ExitStack()
    stack.enter_context(plugged_in(KEY))
    early_config.add_cleanup(stack.close)


def pytest_configure(config: pytest.Config) -> None:
    """Tell the suite where its robot arm listens."""
    stack = ExitStack()
    config.option.controller = stack.enter_context(controller(KEY))
    config.add_cleanup(stack.close)
