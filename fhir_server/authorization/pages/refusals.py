"""Requests that are refused with a page, which says why and what to do, and repeats nothing of what was sent."""

from collections.abc import Sequence
from typing import Final

from fastapi import Response

from fhir_server.authorization.pages.visit import Visit
from fhir_server.authorization.pages.words import Text

_AGAIN: Final = Text("もう一度お試しください。", "Please try again.")
_TEXTS: Final = {
    400: (Text("送信された内容を読み取れません", "What was sent cannot be read"), _AGAIN),
    403: (
        Text("この送信は受け付けられません", "This form cannot be accepted"),
        Text(
            "ページを開いてから時間がたったか、別のサイトから送信されました。前のページを開きなおして、もう一度お試しください。",
            "The page was open for too long, or the form was sent by another site. Open the page again and try once more.",
        ),
    ),
    404: (Text("ページが見つかりません", "There is no such page"), Text("アドレスをお確かめください。", "Please check the address.")),
    413: (Text("送信された内容が大きすぎます", "What was sent is too large"), _AGAIN),
    415: (Text("送信された内容を読み取れません", "What was sent cannot be read"), _AGAIN),
    429: (
        Text("回数が多すぎます", "Too many attempts"),
        Text("しばらく待ってから、もう一度お試しください。", "Please wait a while and try again."),
    ),
    503: (
        Text("ただいまご利用いただけません", "The service is not available at present"),
        Text("しばらく待ってから、もう一度お試しください。", "Please wait a while and try again."),
    ),
}


class Refused(Exception):  # noqa: N818 - an outcome, shown to the person
    """The request is answered with a page that says why."""

    def __init__(self, status: int, title: Text, text: Text, headers: Sequence[tuple[str, str]] = (), detail: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.detail = detail
        self.title = title
        self.text = text
        self.headers = headers

    def page(self, visit: Visit) -> Response:
        """Write the page."""
        response = visit.page(
            "error.html",
            status=self.status,
            title=self.title.of(visit.language),
            text=self.text.of(visit.language),
            detail=self.detail,
            back=True,
        )
        for name, value in self.headers:
            response.headers[name] = value
        return response


def told(status: int, headers: Sequence[tuple[str, str]] = ()) -> Refused:
    """Give the refusal for a status: what FHIR's clients are told in detail says nothing to a person."""
    known = status if status in _TEXTS else 503 if status >= 500 else 400
    title, text = _TEXTS[known]
    return Refused(status, title, text, headers)


def gone() -> Refused:
    """The app's request is not known any more."""
    return Refused(
        400,
        Text("アプリからの要求が無効になりました", "The app’s request is no longer valid"),
        Text(
            "要求は10分で無効になります。また、一度しか使えません。アプリに戻って、はじめからやり直してください。",
            "A request is valid for 10 minutes and can be used once. Go back to the app and start again.",
        ),
    )


def no_work() -> Refused:
    """The person works nowhere in the network at present."""
    return Refused(
        403,
        Text("利用できる施設がありません", "There is no facility that you can work for"),
        Text(
            "このIDは、現在どの施設にも登録されていません。事務局にお問い合わせください。",
            "Your ID is not registered with any facility at present. Please ask the secretariat.",
        ),
    )


def not_allowed() -> Refused:
    """The app cannot be given what it asks for."""
    return Refused(
        403,
        Text("このアプリには許可できません", "This cannot be allowed to the app"),
        Text(
            "要求された内容は、あなたの権限では許可できません。アプリの提供元または事務局にお問い合わせください。",
            "What it asks for is not yours to allow. Please ask whoever provides the app, or the secretariat.",
        ),
    )


def impossible(description: str) -> Refused:
    """An app asked for what it cannot ask for, and may not be what it says: only the person is told."""
    return Refused(
        400,
        Text("アプリを開けません", "The app cannot be opened"),
        Text(
            "アプリの要求に誤りがあるため、ログインに進めません。アプリの提供元にお問い合わせください。",
            "The app asked for something that is not possible, so there is no login for it. Please ask whoever provides it.",
        ),
        detail=description,
    )


def not_from_here() -> Refused:
    """The connection does not prove what the login asks for: a client certificate, of this person or her facility (F051, F105)."""
    return Refused(
        403,
        Text("この端末からはログインできません", "You cannot log in from this device"),
        Text(
            "登録された端末の電子証明書が必要です。証明書の選択画面が表示されたときは、ご自身の証明書を選んでください。"
            "お困りのときは、施設の担当者または事務局にお問い合わせください。",
            "The certificate of a registered device is needed. Where your browser asks for one, choose your own. "
            "If that does not help, please ask the person in charge at your facility, or the secretariat.",
        ),
    )
