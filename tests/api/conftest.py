from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.srv import Srv


@pytest.fixture
def srv() -> Iterator[Srv]:
    with Srv() as server:
        yield server
