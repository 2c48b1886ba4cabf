"""The tables that people.py draws from: names, companies, newsletters, services, look-alikes.

Every domain ends in .example (reserved, RFC 2606), so nothing here belongs to anyone.
"""

from __future__ import annotations

from typing import Final

# Given and family names; the local part of the address follows from the name.
LATIN: Final[dict[str, tuple[str, str]]] = {
    "en": (
        "Alice Ben Carol Daniel Emma Frank Grace Henry Isla Jack Karen Liam Mia Noah Olivia Peter Ruth Sam Tara",
        "Adams Baker Clark Davies Evans Foster Green Hughes Irwin Jones King Lewis Moore Nolan Owens Reed Shaw",
    ),
    "de": (
        "Anna Bernd Claudia Dieter Elke Florian Gisela Hans Ingrid Jürgen Käthe Lars",
        "Bauer Fischer Groß Hoffmann Jäger Köhler Lange Müller Neumann Schröder Vogel Weiß",
    ),
    "fr": (
        "Aurélie Benoît Chloé Didier Élodie François Gaëlle Hugo Inès Jérôme",
        "Bernard Chevalier Dubois Fournier Garnier Lefèvre Moreau Petit Rousseau Vidal",
    ),
    "es": (
        "Ana Begoña Carlos Daniela Esteban Íñigo Jimena Luis María Óscar",
        "Álvarez Castro Domínguez Fernández García Ibáñez López Muñoz Ortiz Peña",
    ),
    "pt": (
        "Ângela Bruno Cláudia Diogo Eduarda João Lúcia Tomé",
        "Almeida Conceição Ferreira Gonçalves Lopes Simões",
    ),
}
# Names in other scripts, each with the local part of its address.
NATIVE: Final[dict[str, str]] = {
    "ja": "佐藤 健=k.sato, 鈴木 花子=h.suzuki, 高橋 美咲=m.takahashi, 田中 太郎=t.tanaka, 伊藤 さくら=s.ito",
    "zh": "王芳=wangfang, 李伟=liwei, 张敏=zhangmin, 刘洋=liuyang, 陳怡君=yichun.chen, 黃志豪=zhihao.huang",
    "ko": "김민준=mj.kim, 이서연=sy.lee, 박지훈=jh.park, 최유진=yj.choi",
    "ar": "محمد الأحمد=m.alahmad, فاطمة الزهراء=f.zahra, خالد حسن=k.hassan, ليلى عمر=l.omar",
    "he": "דוד כהן=d.cohen, שרה לוי=s.levi, יוסף מזרחי=y.mizrahi",
    "ru": "Анна Иванова=a.ivanova, Дмитрий Соколов=d.sokolov, Ольга Кузнецова=o.kuznetsova",
    "hi": "अमित शर्मा=amit.sharma, प्रिया सिंह=priya.singh, राहुल वर्मा=rahul.verma",
}
LANG_WEIGHTS: Final = {
    "en": 56, "de": 9, "fr": 7, "es": 6, "pt": 4, "ja": 5, "zh": 4, "ko": 2, "ru": 2.5, "ar": 2, "he": 1, "hi": 1.5,
}  # fmt: skip
COUNTRIES: Final[dict[str, str]] = {
    "en": "us gb us ca au us",
    "de": "de at ch de",
    "fr": "fr be fr",
    "es": "es mx ar",
    "pt": "br pt",
    "ja": "jp",
    "zh": "cn tw",
    "ko": "kr",
    "ar": "ae sa eg",
    "he": "il",
    "ru": "ru",
    "hi": "in",
}
# Countries whose addresses are slices of 198.18.0.0/15, in this order.
BLOCKS: Final = "us gb de fr nl jp in br cn ru kr ng vn ca au at ch be es mx ar pt tw ae sa eg il".split()
ATTACK_COUNTRIES: Final = {
    "us": 20,
    "ng": 9,
    "ru": 14,
    "cn": 13,
    "vn": 9,
    "br": 8,
    "in": 8,
    "nl": 10,
    "**": 4,
}
COMPANIES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "en": (
        ("Northgate Freight", "northgate-freight.example"),
        ("Brightwater Legal", "brightwater.example"),
        ("Orchard Dental", "orchard-dental.example"),
        ("Halden Steel", "haldensteel.example"),
        ("Quayside Hotels", "quayside.example"),
        ("Summit Insurance", "summit-insurance.example"),
        ("Fernhill Foods", "fernhill.example"),
        ("Copperline Audit", "copperline.example"),
        ("Meridian Parts", "meridian-parts.example"),
        ("Lakeview Clinic", "lakeview.example"),
    ),
    "de": (
        ("Nordwind Logistik GmbH", "nordwind-logistik.example"),
        ("Bäckerei Grünwald", "gruenwald.example"),
        ("Rheintal Maschinenbau", "rheintal.example"),
        ("Kanzlei Weiß", "kanzlei-weiss.example"),
    ),
    "fr": (
        ("Menuiserie Lefèvre", "lefevre.example"),
        ("Éditions du Parc", "editions-parc.example"),
        ("Atelier Garnier", "garnier.example"),
    ),
    "es": (
        ("Bodegas Peña", "bodegas-pena.example"),
        ("Talleres Ibáñez", "ibanez.example"),
        ("Clínica del Sol", "clinicasol.example"),
    ),
    "pt": (("Padaria Conceição", "conceicao.example"), ("Porto Azul", "porto-azul.example")),
    "ja": (("星野精機株式会社", "hoshino-seiki.example"), ("桜商事", "sakura-shoji.example")),
    "zh": (("华东贸易有限公司", "huadong-trade.example"), ("遠望科技", "yuanwang.example")),
    "ko": (("한강전자", "hangang-electronics.example"),),
    "ar": (("شركة النخيل", "alnakheel.example"),),
    "he": (("אורן תוכנה", "oren-soft.example"),),
    "ru": (("ООО Северный порт", "sevport.example"),),
    "hi": (("गंगा टेक्सटाइल्स", "ganga-textiles.example"),),
}
# name, domain, language, subjects
NEWSLETTERS: Final[tuple[tuple[str, str, str, tuple[str, ...]], ...]] = (
    ("Harvest Kitchen", "harvest-kitchen.example", "en", ("Weekend recipes: {n} dinners under 30 minutes", "🍅 {n} ways with tomatoes")),
    ("Trailhead Outdoor", "trailhead-outdoor.example", "en", ("{n}% off boots ends tonight", "New in: rain shells from {money}")),
    ("City Rail", "cityrail.example", "en", ("Planned works on line {n}", "Your {n} point balance")),
    ("The Ledger Daily", "ledger-daily.example", "en", ("Markets: {n} things to know today", "Opinion: what {money} buys")),
    ("Wanderlust Flights", "wanderlust-flights.example", "en", ("✈️ {city} from {money}", "Your dream of {city} is on sale")),
    ("Kaufhaus Blume", "kaufhaus-blume.example", "de", ("Nur heute: {n} % auf alles für den Garten 🌷", "Ihre Vorteile im Überblick")),
    ("La Gazette Verte", "gazette-verte.example", "fr", ("Votre sélection de la semaine n° {n}", "Jusqu’à -{n} % à {city}")),
    ("Mercado Fresco", "mercado-fresco.example", "es", ("¡{n} ofertas que no duran!", "Novedades de esta semana en {city}")),
    ("Livros & Cia", "livros-cia.example", "pt", ("{n} lançamentos que você vai gostar", "Frete grátis até meia-noite")),
    ("楽しい旅行社", "tanoshii-ryoko.example", "ja", ("【{n}%OFF】{city}への週末旅行 ✈", "今週のおすすめプラン")),
    ("新知周刊", "xinzhi.example", "zh", ("本周{n}篇精选文章", "{city}站：会员专享优惠")),
    ("책마을", "chaekmaeul.example", "ko", ("이번 주 신간 {n}권을 소개합니다", "{city} 행사 안내")),
    ("Новости недели", "novosti-nedeli.example", "ru", ("{n} главных событий недели", "Скидки до {n}% в {city}")),
    ("أخبار الصباح", "akhbar-sabah.example", "ar", ("أهم {n} أخبار اليوم", "عروض {city} هذا الأسبوع")),
)  # fmt: skip
SERVICES: Final[tuple[tuple[str, str, str, tuple[str, ...]], ...]] = (
    ("Ticket Desk", "ticketdesk.example", "en", ("[#{n}] Your request was updated", "[#{n}] Re: VPN drops every hour")),
    ("Meetwell", "meetwell.example", "en", ("Invitation: budget review, {date}", "Updated: stand-up moved to {date}")),
    ("Buildhouse", "buildhouse.example", "en", ("[{company}] build {n} failed on main", "[{company}] build {n} passed")),
    ("Sign Desk", "signdesk.example", "en", ("{person} sent you a document to sign", "Completed: agreement {n}")),
    ("Pay Centre", "paycentre.example", "en", ("Your payslip for {date} is ready", "Time sheet {n} is due")),
    ("File Bay", "filebay.example", "en", ("{person} shared “Plan {n}.xlsx” with you", "Your link expires on {date}")),
    ("Swift Parcel", "swiftparcel.example", "en", ("Your parcel {n} arrives on {date}", "Delivery attempt missed: {n}")),
    ("Upwatch", "upwatch.example", "en", ("RESOLVED: disk usage on db{n}", "ALERT: {n} errors in 5 minutes on api-{city}")),
)  # fmt: skip
# What an address pretends to be: display name, look-alike domain, the brand in its subject.
LOOK_ALIKES: Final = (
    ("PayPaI Service", "paypa1-secure.example", "PayPal"),
    ("Microsoft account team", "rnicrosoft-login.example", "Microsoft 365"),
    ("Am\u0430zon", "xn--amzon-hve.example", "Amazon"),  # Cyrillic a; the domain in punycode
    ("DHL Express", "dhl-parcel-track.example", "DHL"),
    ("IT Help Desk", "helpdesk-portal.example", "mailbox"),
    ("DocuSign", "docusign-view.example", "DocuSign"),
    ("B\u0430nk Security", "secure-b\u0430nk.example", "online banking"),  # Cyrillic a, not encoded
    ("Netfl\u0456x", "netf1ix-billing.example", "Netflix"),  # Ukrainian i
)
CITIES: Final = "Lisbon Kyoto München Zürich São-Paulo Montréal İzmir Kraków Malmö Austin".split()
THROWAWAY_WORDS: Final = (
    "best deal offer cloud prime mega fast secure online shop crypto health market daily lucky star".split()
)
