"""Every setting, with its default and what may be chosen."""

import os
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Meta

from fhir_server.settings.network import NetworkSettings

Count: TypeAlias = Annotated[int, Meta(ge=1)]


class Settings(NetworkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting with its default; the descriptions are the documentation."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen at. 待ち受けるアドレス")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen at. 待ち受けるポート")] = 8080
    admin_host: Annotated[
        str, Meta(min_length=1, description="Address to listen at for administration (admin_port). 管理用に待ち受けるアドレス")
    ] = "127.0.0.1"
    admin_port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="TCP port at which alone `/admin/*` answers, and nothing else but `/health/*`; "
            "0: together with everything else. 管理機能専用のポート (0 は共用)",
        ),
    ] = 0
    workers: Annotated[
        int, Meta(ge=0, le=256, description="Processes that serve; 0: one for each processor core. プロセス数 (0 はコア数)")
    ] = 0
    base_url: Annotated[
        str | None,
        Meta(
            description="Public address of the FHIR API, used in links; default `http://HOST:PORT/fhir`, with TLS `https://`. 公開アドレス (リンクに使用)"
        ),
    ] = None
    data: Annotated[Path, Meta(description="Directory of all data; MongoDB's files are in its `mongodb`. データの保存先")] = Path("var")
    mongodb_uri: Annotated[
        str | None,
        Meta(description="MongoDB ≥ 6, a replica set or sharded cluster; unset: the embedded one. 外部 MongoDB (未設定なら内蔵)"),
    ] = None
    database: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,38}$", description="Name of the database. データベース名")] = "tsunagi"
    mongodb_cache: Annotated[
        int,
        Meta(
            ge=0,
            description="Cache of the embedded MongoDB in MB, at least 256; 0: a quarter of the memory, at most 2048. 内蔵 MongoDB のキャッシュ",
        ),
    ] = 0
    mongodb_oplog: Annotated[
        int, Meta(ge=16, le=100_000, description="Oplog of the embedded MongoDB in MB, taken when it is first made. 内蔵 MongoDB の oplog")
    ] = 256
    body_limit: Annotated[int, Meta(ge=1, le=1024, description="Largest request body in MB; more is answered 413. 要求本文の上限")] = 50
    binary_limit: Annotated[
        int, Meta(ge=1, le=10_240, description="Largest content of a Binary in MB; more is answered 413. Binary の内容の上限")
    ] = 100
    binary_inline: Annotated[
        int, Meta(ge=0, le=8192, description="Content of a Binary up to so many KB stays in its document. 文書内に保存する Binary の上限")
    ] = 256
    bundle_limit: Annotated[Count, Meta(description="Most entries of a batch or transaction. Bundle の最大エントリー数")] = 5000
    delete_limit: Annotated[Count, Meta(description="Most resources one conditional delete deletes. 条件付き削除の上限")] = 1000
    depth_limit: Annotated[int, Meta(ge=10, le=500, description="Deepest nesting of JSON. JSON の入れ子の上限")] = 100
    count_default: Annotated[Count, Meta(description="Resources on a page without `_count`. 1 ページの既定件数")] = 50
    count_limit: Annotated[Count, Meta(description="Most resources on a page, whatever `_count` asks. 1 ページの最大件数")] = 1000
    chain_limit: Annotated[
        Count, Meta(description="Most ids that a chained parameter or `_has` may resolve to; more is too-costly. 連鎖検索の上限")
    ] = 1000
    chain_depth: Annotated[int, Meta(ge=1, le=10, description="Most steps of a chained parameter or `_has`. 連鎖検索の最大段数")] = 3
    include_limit: Annotated[
        Count, Meta(description="Most resources that `_include` and `_revinclude` add to a page. _include で加わる最大件数")
    ] = 1000
    include_rounds: Annotated[int, Meta(ge=1, le=20, description="How often `:iterate` goes on. :iterate の最大反復回数")] = 5
    paging_key: Annotated[
        str | None,
        Meta(description="Secret that seals page links; unset: one is made and kept in the database. ページリンクの暗号鍵"),
    ] = None
    paging_time: Annotated[Count, Meta(description="Minutes that the link to the next page is valid. 次ページリンクの有効時間 (分)")] = 1440
    codes_limit: Annotated[
        Count, Meta(description="Most codes of a value set or hierarchy that `:in`, `:above` and `:below` ask for. 値セット検索の上限")
    ] = 2000
    text_limit: Annotated[
        Count, Meta(description="Most resources that `_text` and `_content` look through; more is too-costly. 全文検索で読む件数の上限")
    ] = 10_000
    near_distance: Annotated[int, Meta(ge=1, le=20_000, description="Distance of `near` where none is named, in km. near の既定距離")] = 10
    query_time: Annotated[int, Meta(ge=10, description="Longest time of one database query in ms. 1 回の問い合わせの最大時間")] = 10_000
    stop_time: Annotated[
        int, Meta(ge=1, le=600, description="Seconds that accepted requests get to finish when the server stops. 停止時の猶予秒数")
    ] = 30
    timezone: Annotated[str, Meta(description="Zone of dates without one. 時間帯指定のない日付の時間帯")] = "Asia/Tokyo"
    handling: Annotated[
        Literal["strict", "lenient"],
        Meta(description="Unknown search parameters, where `Prefer: handling` is absent: refuse or ignore. 未知の検索条件の扱い"),
    ] = "strict"
    authentication: Annotated[
        Literal["required", "off"],
        Meta(description="Whether a valid access token is needed; `off` only at a loopback address, for measuring and tests. 認証の要否"),
    ] = "required"
    sandbox: Annotated[
        bool, Meta(description="Made-up people and data only: the launcher, and clients of the role tester. 架空データの試験環境")
    ] = False
    secret_key: Annotated[
        str | None,
        Meta(
            description="Secret that seals what is stored sealed; unset: one is made and kept in the database. 封印用の秘密鍵",
        ),
    ] = None
    access_time: Annotated[int, Meta(ge=1, le=60, description="Minutes that an access token is valid. アクセストークンの有効時間 (分)")] = (
        15
    )
    refresh_time: Annotated[
        int, Meta(ge=1, le=8760, description="Hours that a refresh token (`offline_access`) is valid unused. 更新トークンの有効時間")
    ] = 720
    grant_time: Annotated[
        int, Meta(ge=1, le=8760, description="Hours after which an app must be allowed anew, whatever it refreshes. 許可の最長時間")
    ] = 2160
    session_idle: Annotated[
        int, Meta(ge=1, le=60, description="Minutes without use that end a login. 無操作でログアウトするまでの分数")
    ] = 5
    session_time: Annotated[int, Meta(ge=1, le=24, description="Hours that a login lasts at most. ログインの最長時間")] = 10
    password_policy: Annotated[
        Literal["network", "gl6-a", "gl6-b", "gl6-c"],
        Meta(description="Rules for passwords; `gl6-c` needs a second factor. パスワードの規則 (gl6-c は二要素認証が必須)"),
    ] = "network"  # noqa: S105 - the name of a policy
    second_factor: Annotated[
        Literal["policy", "required"],
        Meta(description="Whether everybody needs a second factor, or as password_policy says. 二要素認証の要否"),
    ] = "policy"
    outside_issuer: Annotated[
        str | None,
        Meta(description="Another issuer whose access tokens are honoured, such as a Keycloak realm's address. 外部の認可サーバー"),
    ] = None
    outside_audience: Annotated[
        str | None, Meta(description="`aud` that its tokens must have; unset: the FHIR base address. 外部トークンの aud")
    ] = None
    outside_jwks: Annotated[
        str | None, Meta(description="Address of its keys; unset: as its openid-configuration says. 外部の公開鍵の所在")
    ] = None
    outside_claims: Annotated[
        str | None,
        Meta(description="Names of its claims where they differ, `role=realm_role, facility=hospital`. 外部トークンのクレーム名"),
    ] = None
    tls_certificate: Annotated[
        Path | None, Meta(description="The server's certificate chain (PEM): with it the server itself speaks TLS. サーバー証明書")
    ] = None
    tls_key: Annotated[Path | None, Meta(description="The private key to it (PEM). サーバー証明書の秘密鍵")] = None
    tls_client_ca: Annotated[
        Path | None, Meta(description="Authorities of client certificates (PEM); unset: the network's own. クライアント証明書の認証局")
    ] = None
    tls_client_certificates: Annotated[
        Literal["off", "optional", "required"], Meta(description="Whether clients show a certificate. クライアント証明書の要否")
    ] = "optional"
    tls_version: Annotated[Literal["1.3", "1.2"], Meta(description="Oldest version of TLS that is spoken. 許可する最も古い TLS")] = "1.3"
    proxy_addresses: Annotated[
        str | None,
        Meta(
            description="Addresses or networks of proxies that may hand on a client's certificate, `10.0.0.2, 10.1.0.0/24`. プロキシのアドレス"
        ),
    ] = None
    proxy_certificate_header: Annotated[
        str | None, Meta(description="Header in which they do, `Client-Cert` or `X-SSL-Client-Cert`. クライアント証明書のヘッダー")
    ] = None
    metrics_addresses: Annotated[
        str, Meta(description="Addresses or networks that `/metrics` answers to, not through a proxy. /metrics を取得できるアドレス")
    ] = "127.0.0.0/8, ::1"
    cors_origins: Annotated[
        str | None,
        Meta(
            description="Origins whose web pages may use the API from a browser, `https://a.example, https://b.example` or `*`; "
            "unset: none. ブラウザから利用できるオリジン"
        ),
    ] = None
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="Least level that is logged. ログの水準")] = "info"
    access_log: Annotated[bool, Meta(description="One log line for each request, without personal data. 要求ごとのログ")] = True

    def __repr__(self) -> str:
        return "Settings(...)"  # mongodb_uri may hold a password

    @property
    def base(self) -> str:
        """The address that links start with, without a trailing slash."""
        scheme = "http" if self.tls_certificate is None else "https"
        return (self.base_url or f"{scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/fhir").rstrip("/")

    @property
    def issuer(self) -> str:
        """The name of the authorization server: the address of the FHIR API without its last segment."""
        return self.base.removesuffix("/fhir")

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of `cors_origins`."""
        return tuple(each.strip() for each in (self.cors_origins or "").split(",") if each.strip())

    @property
    def shows_certificates(self) -> bool:
        """Tell whether a client certificate can reach the server: by its own TLS, or through a proxy's header."""
        own = self.tls_certificate is not None and self.tls_client_certificates != "off"
        return own or self.proxy_certificate_header is not None

    @property
    def proxies(self) -> tuple[str, ...]:
        """The addresses and networks of `proxy_addresses`."""
        return tuple(each.strip() for each in (self.proxy_addresses or "").split(",") if each.strip())

    @property
    def metrics_networks(self) -> tuple[str, ...]:
        """The addresses and networks of `metrics_addresses`."""
        return tuple(each.strip() for each in self.metrics_addresses.split(",") if each.strip())

    @property
    def outside_names(self) -> tuple[str, ...]:
        """The pairs of `outside_claims`, each `ours=theirs`."""
        return tuple(each.strip() for each in (self.outside_claims or "").split(",") if each.strip())

    @property
    def worker_processes(self) -> int:
        """The number of processes that serve."""
        return self.workers or len(os.sched_getaffinity(0))

    @property
    def zone(self) -> ZoneInfo:
        """The zone of dates that name none."""
        return ZoneInfo(self.timezone)

    @property
    def mongodb_directory(self) -> Path:
        """Where the embedded MongoDB keeps its files."""
        return self.data / "mongodb"
