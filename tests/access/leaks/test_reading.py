"""The leak matrix: every gate against the ways that ask and change nothing. Hidden is as absent: the same status, the same body (S33)."""

from tests.access.leaks.ways import BINARIES, CHAINS, COUNTS, HISTORY, INCLUDES, MOST, OPERATIONS, ORACLES, READ, SOME, WIDE


async def test_s33_s16_s38_what_is_hidden_reads_as_what_is_not_there(matrix):
    await matrix.nothing_told(READ)


async def test_s17_s18_s19_s20_no_version_and_no_history_tells_of_it(matrix):
    await matrix.nothing_told(HISTORY)


async def test_s06_s09_s12_s16_s49_it_takes_no_place_and_is_not_counted(matrix):
    await matrix.nothing_told(COUNTS)


async def test_s13_s14_s15_s40_no_value_of_it_can_be_guessed(matrix):
    await matrix.nothing_told(ORACLES, MOST)


async def test_s01_s02_s03_s04_s05_s06_s37_no_include_reaches_it(matrix):
    await matrix.nothing_told(INCLUDES)


async def test_s10_s11_no_chain_leads_through_it(matrix):
    await matrix.nothing_told(CHAINS, MOST)


async def test_s03_s04_s18_of_all_types_at_once_nothing_is_told(matrix):
    await matrix.nothing_told(WIDE, SOME)


async def test_s21_s23_s24_s25_s26_no_operation_and_no_entry_of_a_bundle_tells_of_it(matrix):
    await matrix.nothing_told(OPERATIONS, MOST)


async def test_s39_its_documents_are_hidden_in_every_form(matrix):
    await matrix.nothing_told(BINARIES)


async def test_what_is_asked_for_is_there_for_whom_it_concerns(matrix):
    for ways in (READ, HISTORY, COUNTS, ORACLES, INCLUDES, CHAINS, OPERATIONS, BINARIES):
        await matrix.told_to_whom_it_concerns(ways)
