"""The Swagger page in Chromium: what a tester does there with a token."""

import pytest

from tests.authorization.browser import needs_chromium
from tests.clients import swagger_page


@needs_chromium
@pytest.mark.parametrize("give", [swagger_page.paste, swagger_page.fetch])
async def test_a_tester_gives_the_page_a_token_and_is_answered_where_a_stranger_is_not(base, tmp_path, give):
    statuses, complaints, elsewhere = await swagger_page.looked_at(base, tmp_path / "page.png", give)
    assert statuses in swagger_page.EXPECTED
    assert not complaints
    assert not elsewhere
