"""Japanese names of invented persons, in kanji and katakana.

Family names are weighted as they are met in Kagawa: the names that are common everywhere first, then those of
Shikoku. Given names belong to a generation, for nobody aged eighty is called 陽翔. All characters are in
JIS X 0208, the only kanji an SS-MIX2 message can carry.
"""

from dataclasses import dataclass
from itertools import accumulate
from random import Random

_FAMILIES = """
佐藤 サトウ 鈴木 スズキ 高橋 タカハシ 田中 タナカ 大西 オオニシ 山下 ヤマシタ 森 モリ 井上 イノウエ 松本 マツモト 山本 ヤマモト
多田 タダ 藤井 フジイ 中村 ナカムラ 小林 コバヤシ 三好 ミヨシ 真鍋 マナベ 宮武 ミヤタケ 久保 クボ 岡田 オカダ 渡辺 ワタナベ
伊藤 イトウ 加藤 カトウ 吉田 ヨシダ 山田 ヤマダ 佐々木 ササキ 山口 ヤマグチ 木村 キムラ 林 ハヤシ 斎藤 サイトウ 清水 シミズ
池田 イケダ 橋本 ハシモト 阿部 アベ 石川 イシカワ 前田 マエダ 藤田 フジタ 後藤 ゴトウ 近藤 コンドウ 村上 ムラカミ 遠藤 エンドウ
青木 アオキ 坂本 サカモト 福田 フクダ 太田 オオタ 西村 ニシムラ 藤原 フジワラ 三浦 ミウラ 岡本 オカモト 松田 マツダ 中川 ナカガワ
中野 ナカノ 原田 ハラダ 小野 オノ 田村 タムラ 竹内 タケウチ 金子 カネコ 和田 ワダ 中山 ナカヤマ 石田 イシダ 上田 ウエダ
森田 モリタ 原 ハラ 柴田 シバタ 酒井 サカイ 工藤 クドウ 横山 ヨコヤマ 宮崎 ミヤザキ 宮本 ミヤモト 内田 ウチダ 高木 タカギ
安藤 アンドウ 谷口 タニグチ 大野 オオノ 丸山 マルヤマ 今井 イマイ 河野 コウノ 藤本 フジモト 村田 ムラタ 武田 タケダ 上野 ウエノ
杉山 スギヤマ 増田 マスダ 小島 コジマ 平野 ヒラノ 大塚 オオツカ 千葉 チバ 松井 マツイ 野口 ノグチ 木下 キノシタ 野村 ノムラ
十河 ソゴウ 合田 ゴウダ 香川 カガワ 六車 ムグルマ 佃 ツクダ 川田 カワタ 川西 カワニシ 白川 シラカワ 尾崎 オザキ 横井 ヨコイ
細川 ホソカワ 長尾 ナガオ 植松 ウエマツ 寒川 サンガワ 三木 ミキ 安倍 アベ 氏家 ウジイエ 石井 イシイ 植田 ウエダ 穴吹 アナブキ
塩田 シオタ 篠原 シノハラ 造田 ゾウタ 香西 コウザイ 糸瀬 イトセ 滝川 タキガワ 詫間 タクマ 高尾 タカオ 谷本 タニモト 玉井 タマイ
田井 タイ 筒井 ツツイ 綾 アヤ 綾田 アヤダ 大山 オオヤマ 大林 オオバヤシ 小西 コニシ 亀井 カメイ 河田 カワダ 川崎 カワサキ
喜田 キダ 北川 キタガワ 国方 クニカタ 黒川 クロカワ 黒田 クロダ 古市 フルイチ 神原 カンバラ 佐野 サノ 島田 シマダ 新居 ニイ
高畑 タカハタ 竹本 タケモト 津田 ツダ 土居 ドイ 出口 デグチ 富田 トミタ 中西 ナカニシ 長町 ナガマチ 西岡 ニシオカ 西川 ニシカワ
浜田 ハマダ 久米 クメ 平田 ヒラタ 福井 フクイ 古川 フルカワ 本田 ホンダ 松岡 マツオカ 松下 マツシタ 溝渕 ミゾブチ 宮脇 ミヤワキ
村井 ムライ 守屋 モリヤ 安田 ヤスダ 矢野 ヤノ 山地 ヤマジ 山崎 ヤマサキ 湯浅 ユアサ 吉岡 ヨシオカ 吉本 ヨシモト 和泉 イズミ
"""

# Three generations: born before 1955, before 1985, and since.
_MEN = (
    """
清 キヨシ 勇 イサム 実 ミノル 進 ススム 茂 シゲル 勝 マサル 正 タダシ 弘 ヒロシ 博 ヒロシ 明 アキラ
昭 アキラ 武 タケシ 豊 ユタカ 稔 ミノル 功 イサオ 隆 タカシ 修 オサム 保 タモツ 幸男 ユキオ 正雄 マサオ
義雄 ヨシオ 和夫 カズオ 昭夫 アキオ 敏夫 トシオ 秀雄 ヒデオ 忠夫 タダオ 文雄 フミオ 辰雄 タツオ 光雄 ミツオ 三郎 サブロウ
四郎 シロウ 正一 ショウイチ 健一 ケンイチ 栄一 エイイチ 良一 リョウイチ 喜久雄 キクオ 政治 マサハル 忠義 タダヨシ 武夫 タケオ 守 マモル
貞夫 サダオ 国雄 クニオ
""",
    """
誠 マコト 浩 ヒロシ 浩一 コウイチ 健 ケン 学 マナブ 徹 トオル 聡 サトシ 剛 ツヨシ 直樹 ナオキ 大輔 ダイスケ
隆之 タカユキ 和也 カズヤ 哲也 テツヤ 達也 タツヤ 伸一 シンイチ 英樹 ヒデキ 秀樹 ヒデキ 和彦 カズヒコ 雅彦 マサヒコ 裕之 ヒロユキ
浩二 コウジ 健二 ケンジ 修一 シュウイチ 孝之 タカユキ 智之 トモユキ 義則 ヨシノリ 正樹 マサキ 幸一 コウイチ 幸治 コウジ 洋平 ヨウヘイ
洋介 ヨウスケ 雄一 ユウイチ 淳 ジュン 亮 リョウ 敦 アツシ 純一 ジュンイチ 康弘 ヤスヒロ 克己 カツミ 信行 ノブユキ 貴志 タカシ
真二 シンジ 文彦 フミヒコ
""",
    """
翔太 ショウタ 拓海 タクミ 大翔 ヒロト 蓮 レン 悠真 ユウマ 湊 ミナト 陽翔 ハルト 颯太 ソウタ 悠斗 ユウト 陸 リク
樹 イツキ 翼 ツバサ 駿 シュン 健太 ケンタ 拓也 タクヤ 翔 ショウ 海斗 カイト 涼太 リョウタ 優斗 ユウト 直人 ナオト
大地 ダイチ 航 ワタル 匠 タクミ 隼人 ハヤト 新 アラタ 律 リツ 朝陽 アサヒ 蒼 アオイ 陽太 ヨウタ 奏太 ソウタ
大和 ヤマト 圭吾 ケイゴ 瑛太 エイタ 晴 ハル 光希 コウキ 智也 トモヤ 旭 アサヒ 琉生 ルイ 慎吾 シンゴ 壮真 ソウマ
結斗 ユイト 岳 ガク
""",
)
_WOMEN = (
    """
和子 カズコ 幸子 サチコ 節子 セツコ 洋子 ヨウコ 弘子 ヒロコ 文子 フミコ 千代子 チヨコ 静子 シズコ 美代子 ミヨコ 久子 ヒサコ
敏子 トシコ 京子 キョウコ 悦子 エツコ 信子 ノブコ 光子 ミツコ 初子 ハツコ 良子 ヨシコ 昭子 アキコ 正子 マサコ 春子 ハルコ
秋子 アキコ 富子 トミコ 勝子 カツコ 栄子 エイコ 澄子 スミコ 道子 ミチコ 芳子 ヨシコ 恵子 ケイコ 君子 キミコ 孝子 タカコ
ハナ ハナ キヨ キヨ ヨシ ヨシ フジエ フジエ トシエ トシエ 政子 マサコ 照子 テルコ 喜代子 キヨコ 八重子 ヤエコ 綾子 アヤコ
房子 フサコ 絹子 キヌコ
""",
    """
由美子 ユミコ 久美子 クミコ 真由美 マユミ 明美 アケミ 直美 ナオミ 陽子 ヨウコ 智子 トモコ 裕子 ユウコ 香織 カオリ 恵美 エミ
純子 ジュンコ 美穂 ミホ 美香 ミカ 優子 ユウコ 麻衣 マイ 典子 ノリコ 真理子 マリコ 理恵 リエ 由紀 ユキ 千春 チハル
美紀 ミキ 智美 トモミ 聡子 サトコ 浩子 ヒロコ 幸恵 ユキエ 直子 ナオコ 恭子 キョウコ 順子 ジュンコ 里美 サトミ 佳代 カヨ
加奈子 カナコ 美和 ミワ 仁美 ヒトミ 亜紀 アキ 奈緒美 ナオミ 千恵 チエ 友美 トモミ 貴子 タカコ 淳子 アツコ 絵美 エミ
奈津子 ナツコ さゆり サユリ
""",
    """
美咲 ミサキ 葵 アオイ 陽菜 ヒナ 結衣 ユイ 凛 リン 結愛 ユア 莉子 リコ 紬 ツムギ さくら サクラ 愛 アイ
彩 アヤ 彩花 アヤカ 遥 ハルカ 七海 ナナミ 真央 マオ 優奈 ユウナ 千尋 チヒロ 舞 マイ 沙織 サオリ 楓 カエデ
美優 ミユ 杏 アン 花 ハナ 心春 コハル 詩 ウタ 芽依 メイ 琴音 コトネ 咲良 サクラ 美月 ミツキ 桃子 モモコ
萌 モエ 瞳 ヒトミ 梨沙 リサ 早紀 サキ 茜 アカネ 玲奈 レイナ ひなた ヒナタ 栞 シオリ 朱里 アカリ 日和 ヒヨリ
乃愛 ノア 若菜 ワカナ
""",
)


@dataclass(frozen=True, slots=True)
class Name:
    """A personal name: kanji and full-width katakana of family and given name."""

    family: str
    given: str
    family_kana: str
    given_kana: str


def _pairs(table: str) -> tuple[tuple[str, str], ...]:
    words = table.split()
    return tuple(zip(words[::2], words[1::2], strict=True))


FAMILIES = _pairs(_FAMILIES)
GIVEN = {"M": tuple(map(_pairs, _MEN)), "F": tuple(map(_pairs, _WOMEN))}
_FAMILY_WEIGHTS = tuple(accumulate(1 / (rank + 12) for rank in range(len(FAMILIES))))


def _generation(birth_year: int) -> int:
    return 0 if birth_year < 1955 else 1 if birth_year < 1985 else 2


def family_name(rng: Random) -> tuple[str, str]:
    """Draw a family name: kanji, katakana."""
    return rng.choices(FAMILIES, cum_weights=_FAMILY_WEIGHTS)[0]


def given_name(rng: Random, sex: str, birth_year: int) -> tuple[str, str]:
    """Draw a given name that suits sex (`M`, `F`) and year of birth: kanji, katakana."""
    names = GIVEN[sex][_generation(birth_year)]
    # the further down the list, the rarer
    return names[int(len(names) * rng.random() * rng.random() ** 0.3)]


def name(rng: Random, sex: str, birth_year: int) -> Name:
    """Draw a whole name."""
    family, family_kana = family_name(rng)
    given, given_kana = given_name(rng, sex, birth_year)
    return Name(family, given, family_kana, given_kana)
