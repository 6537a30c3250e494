"""One rich message of every mapped kind."""

from tests.mappers.synthetic import DOCTOR, OBR, ORC, SPM, mapped, medicine

FIRST_MEDICINE = medicine("000000000000777_01_001")
_SECOND_MEDICINE = medicine(
    "000000000000777_01_002", rxe="RXE||103835401^ムコダイン錠２５０ｍｇ^HOT9|1||TAB^錠^MR9P|||||15|TAB^錠^MR9P||||||||3^TAB&錠&MR9P"
)
_PRB = "PRB|AD|20240501|20054174^胃炎^MDCDX2|P1|||20240430||20240601|K297^^I10^O^外来時^JHSD0004|||1^^JHSD0005|N^回復せず^HL70241||20240425|胃炎|1^主診断^JHSD0007|||||||V"
_VISIT = f"PV1|0001|O|01^^^^^C||||{DOCTOR}|||01||||||||||||||||||||||||||||||||||20240510085900"
_ADMISSION = f"PV1|0001|I|32^302^1^^^N||||{DOCTOR}|||01|||||||{DOCTOR}|||||||||||||||||||||||||||20240510100000"
_DISCHARGE = f"PV1|0001|I|32^302^1^^^N||||{DOCTOR}|||01|||||||||||||||||||||||||02|||||||||20240510100000"

SEGMENTS = {
    "ADT-00": (
        "EVN||20240501090000",
        "NK1|1|繋木^守^^^^^L^I|FTH^父^HL70063|^^^^760-0017^JPN^H^香川県高松市番町|^PRN^PH^^^^^^^^^087-111-1111",
        "PV1|0001|O",
        "DB1|1|PT||Y",
        "OBX|1|NM|9N001000000000001^身長^JC10||152.3|cm^cm^ISO+|||||F",
        "OBX|2|CWE|5H010000001999911^血液型-ABO式^JC10||A^A^JSHR002||||||F",
        "AL1|1|DA^薬剤アレルギー^HL70127|1^ペニシリン^99XYZ",
        "IN1|1|C0^国民健康保険^JHSD0001|370015|高松市（試験）||||||１２３|４５６|20230401|20250331||06||SEL^本人^HL70063",
    ),
    "ADT-12": (_VISIT,),
    "ADT-22": (_ADMISSION,),
    "ADT-52": (_DISCHARGE,),
    "PPR-01": (_PRB, "ZPR|4012^急性^MDCDX2|20054174^胃炎^MDCDX2|||TSQF^胃炎^MDCDX2", f"ORC|NW|P1||||||||||{DOCTOR}"),
    "OMP-01": ("PV1|0001|O", *FIRST_MEDICINE, *_SECOND_MEDICINE),
    "OML-11": (
        "PV1|0001|O|01^^^^^C",
        SPM,
        OBR,
        ORC,
        "OBX|1|NM|3A010000002327101^総蛋白^JC10^10222^ＴＰ^99X03||7.2|g/dL^g/dL^ISO+|6.7-8.3||||F|||202405100900",
        "OBX|2|ST|5C070000002306201^CRP^JC10||< 0.05|mg/dL^mg/dL^ISO+|0.30以下||||F",
        "NTE|1||再検済",
        "OBX|3|CWE|1A010000000190111^尿蛋白^JC10||1+^(1+)^99X09||(-)|A|||F",
        "OBX|4|ST|^^^LOC99^施設独自検査^99X03||判定保留|||HH|||F",
        "OBX|5|NM|3H015000002326101^K^JC10||||||||X",
    ),
}
_ORDERS = {"OMP-01": "000000000000777", "OML-11": "000000000000801"}


def _of(kind):
    def make(**options):
        options = {"order": _ORDERS.get(kind, "999999999999999"), **options}
        return mapped(kind, *SEGMENTS[kind], **options)

    return make


EVERY_KIND = {kind: _of(kind) for kind in SEGMENTS}
"""Kind to a function that maps its message; it takes the options of `synthetic.mapped`."""
