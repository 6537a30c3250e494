"""Words that people of a Japanese hospital make passwords of, beside those that zxcvbn knows; commonest first.

English words and names, keyboards and the passwords of great leaks are zxcvbn's; these are places, family names, seasons and
what stands on a hospital's doors, in the Latin letters of a keyboard.
"""

from typing import Final

_TEXT = """
    byouin byoin hospital ishi sensei isha kangoshi kango nurse yakuzaishi yakuzai yakkyoku jimu jimukyoku shinryo shinryoujo clinic
    iryou iryo kanja karte karute denshi kensa geka naika ganka jibika shounika sanka hifuka seikei igaku idai daigaku shimin
    chuo chuou kenritsu sekijuji nisseki saiseikai renkei chiiki tsunagi kmix kagawa takamatsu sanuki shikoku udon olive ehime
    tokushima kochi matsuyama marugame sakaide zentsuji kanonji shodoshima naoshima setouchi seto konpira yashima ritsurin
    hokkaido sapporo aomori iwate morioka miyagi sendai akita yamagata fukushima ibaraki mito tochigi utsunomiya gunma maebashi
    saitama chiba tokyo kanagawa yokohama niigata toyama ishikawa kanazawa fukui yamanashi kofu nagano gifu shizuoka aichi nagoya
    mie tsu shiga otsu kyoto osaka hyogo kobe nara wakayama tottori shimane matsue okayama hiroshima yamaguchi fukuoka hakata saga
    nagasaki kumamoto oita miyazaki kagoshima okinawa naha nihon nippon japan
    sato satou suzuki takahashi tanaka watanabe ito itou yamamoto nakamura kobayashi kato katou yoshida yamada sasaki yamaguchi
    matsumoto inoue kimura hayashi saito saitou shimizu yamazaki mori abe ikeda hashimoto yamashita ishikawa nakajima maeda fujita
    ogawa goto gotou okada hasegawa murakami kondo kondou ishii sakamoto endo endou aoki fujii nishimura fukuda ota oota miura
    okamoto matsuda nakagawa nakano harada ono tamura takeuchi kaneko wada nakayama ishida ueda morita hara shibata sakai kudo
    yokoyama miyazaki miyamoto uchida takagi ando taniguchi ohno maruyama imai takada fujimoto murata takeda ueno sugiyama masuda
    sugawara hirano kojima otsuka chiba kubo matsui iwasaki sakurai kinoshita noguchi matsuo nomura kikuchi sano onishi sugimoto arai
    taro tarou jiro jirou saburo ichiro ichirou hanako yoshiko kazuko keiko sachiko michiko yuki yuuki haruka sakura aoi hina yui
    mei rin yuna misaki ayumi makoto hiroshi takashi kenji kenta daiki shota shouta sho ren haruto yuto sota souta minato
    haru natsu aki fuyu sakura hanami matsuri natsuyasumi shougatsu ichigatsu nigatsu sangatsu shigatsu gogatsu rokugatsu shichigatsu
    hachigatsu kugatsu juugatsu getsuyoubi kayoubi suiyoubi mokuyoubi kinyoubi doyoubi nichiyoubi reiwa heisei showa shouwa
    neko inu usagi kuma panda tora ryu doraemon pikachu pokemon totoro hanshin tigers giants carp hawks kamatamare
    aishiteru daisuki arigatou arigato konnichiwa ohayou sayonara himitsu pasuwado pasuwa-do angou hirakegoma iroha nihongo watashi
    shokuji gohan ramen sushi tenpura yakiniku ringo mikan ichigo momo
    admin administrator system user guest test demo login welcome changeme initial shoki secret fhir hl7 ssmix ehr pacs
"""
WORDS: Final = tuple(dict.fromkeys(_TEXT.split()))
