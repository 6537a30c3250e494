"""Facilities are told: once inside the network, and by an e-mail that names nobody; a dead mail server loses and doubles nothing."""

import asyncio
import re
import socket

import msgspec
import pytest

from fhir_server.network.notices import MAILS, Kind, communication, tell
from fhir_server.network.notices.carriers import Directory, Smtp, Undelivered, carrier
from fhir_server.network.notices.courier import Courier
from fhir_server.network.notices.kinds import plain, secure
from fhir_server.network.notices.outbox import claim, collect, pending, post, settle
from fhir_server.network.terms import Terms

FROM = "office@network.example"
FACTS = {
    Kind.EMERGENCY: {"facility": "病院B", "user": "医師 一子", "opened": "1", "expires": "2", "reason": "救急", "record": "Task/1"},
    Kind.DISASTER_OPENED: {"area": "高松市", "opens": "1", "ends": "2", "reason": "地震", "record": "Task/1"},
    Kind.DISASTER_CLOSED: {"area": "高松市", "closed": "1", "record": "Task/1"},
    Kind.REVIEW_OVERDUE: {"record": "Task/1", "due": "1"},
    Kind.ADDITION_COMING: {"facility": "病院D", "starts": "1"},
}
PUBLISHED = dict.fromkeys(("regional_id", "facility_id", "name", "kana", "birth_date", "own", "facilities"), "X")
OVERDUE = FACTS[Kind.REVIEW_OVERDUE]


async def with_mail(world, facility="a", *addresses):
    organization = await world.read(f"Organization/{facility}")
    telecom = [{"system": "email", "value": each} for each in addresses or ("office@a.example",)]
    await world.store("network", {**organization, "telecom": telecom})


async def mails(world):
    return await world.desk.shelf.records(MAILS).find()


@pytest.mark.parametrize("kind", list(Kind))
def test_f061_every_kind_has_its_texts_in_japanese_and_english(kind):
    ja, en = secure(kind, {**PUBLISHED, **FACTS.get(kind, {})})
    assert re.search("[ぁ-ん]", ja)
    assert re.search("[a-z]{4}", en)
    assert "$" not in ja + en
    with pytest.raises(KeyError):
        secure(kind, {})


@pytest.mark.parametrize("kind", list(Kind))
def test_f064_the_e_mail_has_its_title_both_links_and_no_patients_data(kind):
    terms = Terms(portal="https://portal.example/", portal_inside="http://inside.example/")
    title, body = plain(kind, terms)
    if kind in (Kind.PUBLISHED, Kind.ADDED):
        assert title == "【自動送信】公開設定完了のお知らせ"
    assert "https://portal.example/" in body
    assert "http://inside.example/" in body
    assert "インターネット" in body
    assert "EHRネットワーク" in body
    assert not re.search(r"\d|氏名|患者|生年月日|様", title + body.replace("ご担当者様", ""))
    assert plain(kind, terms) == (title, body)  # the same for everybody


def test_a_fact_adds_no_line_of_its_own():
    ja, _ = secure(Kind.PUBLISHED, {**PUBLISHED, "name": "高松\n自施設：病院X", "own": "病院B"})
    assert ja.count("\n自施設：") == 1


async def test_f061_the_same_event_is_told_once(world):
    told = await asyncio.gather(*(tell(world.desk, "Organization/a", Kind.REVIEW_OVERDUE, OVERDUE, event="Task/1") for _ in range(4)))
    assert len(set(told)) == 1
    assert len(await world.letters("a")) == 1
    assert await tell(world.desk, "Organization/a", Kind.REVIEW_OVERDUE, OVERDUE, event="Task/2") != told[0]
    assert await tell(world.desk, "Organization/b", Kind.REVIEW_OVERDUE, OVERDUE, event="Task/1") != told[0]


async def test_f035_a_notice_is_a_communication_of_the_network_to_the_facility(world):
    letter = await world.read(await tell(world.desk, "Organization/a", Kind.REVIEW_OVERDUE, OVERDUE, about=["Task/1"]))
    assert letter["recipient"] == [{"reference": "Organization/a"}]
    assert letter["about"] == [{"reference": "Task/1"}]
    assert [each["contentString"][:4] for each in letter["payload"]] == ["緊急時の", "The "]
    [version] = await world.desk.everything.get_several([f"Communication/{letter['id']}"])
    assert version.custodian == "Organization/network"


async def test_f064_in_parallel_an_e_mail_goes_to_every_address_of_the_facility(world, mail_server):
    await with_mail(world, "a", "office@a.example", "desk@a.example", "bad address", "evil@a.example\nBcc: x@y.example")
    await tell(world.desk, "Organization/a", Kind.PUBLISHED, PUBLISHED)
    assert await Courier(world.desk, carrier(mail_server.url), FROM).deliver() == 2
    assert sorted(each["To"] for each in mail_server.mails) == ["desk@a.example", "office@a.example"]
    mail = mail_server.mails[0]
    assert mail["Subject"] == "【自動送信】公開設定完了のお知らせ"
    assert mail["From"] == FROM
    assert "https://portal.example/" in mail.get_content()
    assert await Courier(world.desk, carrier(mail_server.url), FROM).deliver() == 0


async def test_f064_an_address_that_is_no_more_gets_nothing(world):
    organization = await world.read("Organization/a")
    await world.store("network", {**organization, "telecom": [{"system": "email", "use": "old", "value": "old@a.example"}]})
    await tell(world.desk, "Organization/a", Kind.PUBLISHED, PUBLISHED)
    assert await mails(world) == []


async def test_f064_a_dead_mail_server_blocks_nothing_and_the_mail_comes_later_once(world, mail_server):
    await with_mail(world)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = Courier(world.desk, carrier(f"smtp://127.0.0.1:{unused.getsockname()[1]}"), FROM)
        await tell(world.desk, "Organization/a", Kind.PUBLISHED, PUBLISHED)
        assert await dead.deliver() == 0
    alive = Courier(world.desk, carrier(mail_server.url), FROM)
    assert await alive.deliver() == 0  # not at once again
    world.later(seconds=31)
    assert await alive.deliver() == 1
    world.later(hours=2)
    assert await alive.deliver() == 0
    assert len(mail_server.mails) == 1


async def test_f064_it_is_tried_later_each_time(world):
    await with_mail(world)
    await tell(world.desk, "Organization/a", Kind.PUBLISHED, PUBLISHED)
    waits = []
    for _ in range(9):
        [mail] = await pending(world.desk)
        claimed = await claim(world.desk, mail)
        await settle(world.desk, claimed, "pending")
        [after] = await mails(world)
        waits.append(int((after.due - world.moment[0]).total_seconds()))
        world.moment[0] = after.due
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


async def test_f064_a_server_that_is_busy_is_tried_again_one_that_knows_no_such_address_is_not(world, mail_server):
    await with_mail(world)
    courier = Courier(world.desk, carrier(mail_server.url), FROM)
    await tell(world.desk, "Organization/a", Kind.PUBLISHED, PUBLISHED, event="1")
    mail_server.greeting = "421 busy"
    await courier.deliver()
    assert [each.state for each in await mails(world)] == ["pending"]
    mail_server.greeting, mail_server.answer = "220 here", "550 nobody"
    world.later(minutes=1)
    await courier.deliver()
    assert [each.state for each in await mails(world)] == ["refused"]


async def test_f064_several_processes_send_each_mail_once(world, mail_server):
    await with_mail(world)
    for number in range(10):
        await tell(world.desk, "Organization/a", Kind.PUBLISHED, PUBLISHED, event=str(number))
    couriers = [Courier(world.desk, carrier(mail_server.url), FROM) for _ in range(4)]
    assert sum(await asyncio.gather(*(each.deliver() for each in couriers))) == 10
    assert len(mail_server.mails) == 10


async def test_f064_a_process_that_dies_with_a_mail_lets_go_of_it(world, mail_server):
    await with_mail(world)
    await tell(world.desk, "Organization/a", Kind.PUBLISHED, PUBLISHED)
    [mail] = await pending(world.desk)
    assert await claim(world.desk, mail) is not None
    assert await claim(world.desk, mail) is None
    assert await pending(world.desk) == []
    world.later(minutes=6)
    assert await Courier(world.desk, carrier(mail_server.url), FROM).deliver() == 1


async def test_f064_what_was_told_but_not_posted_is_found(world):
    await with_mail(world)
    letter = communication(world.desk, "Organization/a", Kind.PUBLISHED, PUBLISHED)
    await world.desk.store(letter)  # the process ends here
    assert await mails(world) == []
    world.later(hours=1)
    assert await collect(world.desk) == 1
    assert await collect(world.desk) == 0
    assert await post(world.desk, [letter]) == 0


async def test_f064_the_outbox_holds_no_patients_data(world):
    await with_mail(world)
    await tell(world.desk, "Organization/a", Kind.PUBLISHED, {**PUBLISHED, "name": "高松 次郎", "regional_id": "3700026101"})
    stored = msgspec.json.encode(await mails(world)).decode()
    assert "高松" not in stored
    assert "3700026101" not in stored


async def test_f064_a_courier_that_is_told_to_end_sees_its_mail_to_the_end(world, mail_server):
    await with_mail(world)
    await tell(world.desk, "Organization/a", Kind.PUBLISHED, PUBLISHED)
    over = asyncio.Event()
    running = asyncio.create_task(Courier(world.desk, carrier(mail_server.url), FROM).run(over))
    await asyncio.wait_for(mail_server.kept.wait(), 5)
    over.set()
    await asyncio.wait_for(running, 5)
    assert [each.state for each in await mails(world)] == ["sent"]


async def test_in_the_sandbox_each_mail_is_a_file(world, tmp_path):
    await with_mail(world)
    await tell(world.desk, "Organization/a", Kind.PUBLISHED, PUBLISHED)
    way = carrier(f"file://{tmp_path}/mails")
    assert isinstance(way, Directory)
    assert await Courier(world.desk, way, FROM).deliver() == 1
    [file] = (tmp_path / "mails").iterdir()
    assert b"To: office@a.example" in file.read_bytes()
    (tmp_path / "file").write_text("")
    with pytest.raises(Undelivered):
        await Directory(tmp_path / "file").carry("1", __import__("email.message").message.EmailMessage())


@pytest.mark.parametrize("url", ["http://x", "smtp:", "file://host/x", "smtps://u:secret@h:port", "nonsense"])
def test_an_address_that_is_none_is_refused_and_not_repeated(url):
    with pytest.raises(ValueError, match="mail server") as refused:
        carrier(url)
    assert "secret" not in str(refused.value)


def test_a_password_is_not_shown():
    way = carrier("smtps://user:hunter2@mail.example")
    assert isinstance(way, Smtp)
    assert "hunter2" not in repr(way)
