"""The network of these tests."""

import pytest

from tests.auth.certificates.network import Hands, founded, open_shelf, process


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
async def shelf(mongodb_uri, database_name, hands):
    async with open_shelf(mongodb_uri, database_name, hands) as opened:
        yield opened


@pytest.fixture
def cuts():
    return []


@pytest.fixture
async def pki(shelf, hands, cuts):
    async def cut(thumbprint):
        cuts.append(thumbprint)

    return await founded(await process(shelf, hands, cut=cut), hands)
