"""The page where a person fetches a certificate for her PC: an invitation's code goes in, a file and its password come out (F048-F050).

The file is in the page itself, as a link that downloads it: so it is nowhere else, neither on the server nor at an address.
"""

from base64 import b64encode
from collections.abc import Callable
from functools import cache

from jinja2 import Environment, StrictUndefined, Template

from fhir_server.auth.certificates.bundle import Bundle
from fhir_server.authorization.pages.words import Language, Text

_PAGE = """\
<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ t("クライアント証明書の取得", "Fetch your client certificate") }} - {{ network }}</title>
<link rel="stylesheet" href="/auth/static/pages.css">
</head>
<body>
<header class="top"><div><span class="brand">{{ network }}</span>
{% if not bundle %}<a href="/pki/enrol?lang={{ other[0] }}" lang="{{ other[0] }}" hreflang="{{ other[0] }}">{{ other[1] }}</a>{% endif %}
</div></header>
<main id="main"><div class="card">
{% if bundle %}
<h1>{{ t("証明書ができました", "Your certificate is ready") }}</h1>
<p class="banner warn" role="status">{{ t(
  "このページは一度しか表示されません。閉じる前にファイルを保存し、パスワードを控えてください。",
  "This page is shown only once. Save the file and note the password before you close it.") }}</p>
<h2>{{ t("1. ファイルを保存する", "1. Save the file") }}</h2>
<p><a class="button" id="file" download="{{ name }}" href="data:application/x-pkcs12;base64,{{ content }}">{{ name }}</a></p>
<h2>{{ t("2. このパスワードで取り込む", "2. Import it with this password") }}</h2>
<p><code class="secret" id="password">{{ bundle.password }}</code></p>
<ul>
<li>Windows: {{ t("保存したファイルをダブルクリックし、「現在のユーザー」を選び、パスワードを入力します。「エクスポート可能」は選びません。",
  "double-click the file, choose “Current User”, enter the password; do not mark the key as exportable.") }}</li>
<li>macOS: {{ t("ファイルを開き、キーチェーンの「ログイン」に追加します。", "open the file and add it to the keychain “login”.") }}</li>
<li>iPadOS / iOS: {{ t("ファイルを開き、「設定」→「ダウンロード済みのプロファイル」でインストールします。",
  "open the file, then install it under Settings → Profile Downloaded.") }}</li>
<li>Firefox: {{ t("「設定」→「証明書を表示」→「あなたの証明書」→「インポート」",
  "Settings → View Certificates → Your Certificates → Import") }}</li>
</ul>
<h2>{{ t("3. ファイルを削除する", "3. Delete the file") }}</h2>
<p>{{ t("取り込んだら保存したファイルを削除し、ブラウザーを起動し直してください。", "After the import delete the file and restart the browser.") }}</p>
<p class="quiet small">{{ t("証明書番号", "Certificate number") }}: {{ number }} ·
{{ t("有効期限", "valid until") }}: {{ ends }}</p>
{% else %}
<h1>{{ t("クライアント証明書の取得", "Fetch your client certificate") }}</h1>
{% if wrong %}<div class="errors" role="alert"><p>{{ wrong }}</p></div>{% endif %}
<p>{{ t("事務局から受け取った招待コードを、証明書を使う端末で入力してください。コードは 7 日間、一度だけ使えます。",
  "Enter the code of your invitation from the secretariat, on the device that will use the certificate. It works once, within 7 days.") }}</p>
<form method="post" action="/pki/enrol?lang={{ language }}">
<div class="field">
<label for="token">{{ t("招待コード", "Code of the invitation") }}</label>
<p class="hint" id="hint">{{ t("ハイフンや大文字・小文字、全角・半角は問いません。", "Hyphens and case do not matter.") }}</p>
<input type="text" id="token" name="token" required autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="100" aria-describedby="hint">
</div>
<button type="submit" name="page" value="1">{{ t("証明書を作成", "Make the certificate") }}</button>
</form>
<ul class="links"><li>{{ t("紛失・盗難・廃棄・退職のときは、直ちに事務局へ連絡してください。",
  "Tell the secretariat at once of loss, theft, disposal or leaving.") }}</li></ul>
{% endif %}
</div></main>
</body>
</html>
"""
_OTHER = {"ja": ("en", "English"), "en": ("ja", "日本語")}


@cache
def _template() -> Template:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(_PAGE)


def form_page(network: str, language: Language, wrong: Text | None = None) -> str:
    """Write the page that asks for the code; `wrong` says why the last one did not do."""
    text = wrong.of(language) if wrong is not None else None
    return _template().render(network=network, language=language, other=_OTHER[language], t=_speaker(language), wrong=text, bundle=None)


def result_page(network: str, language: Language, bundle: Bundle, number: str, ends: str) -> str:
    """Write the page that holds the file and its password."""
    return _template().render(
        network=network,
        language=language,
        other=_OTHER[language],
        t=_speaker(language),
        bundle=bundle,
        name=f"certificate-{number}.p12",
        content=b64encode(bundle.content).decode(),
        number=number,
        ends=ends,
    )


def _speaker(language: Language) -> Callable[[str, str], str]:
    return lambda ja, en: Text(ja, en).of(language)
