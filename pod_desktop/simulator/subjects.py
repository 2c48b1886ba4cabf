"""What subjects say, by occasion and language; and how a header carries text that is not ASCII."""

from __future__ import annotations

import base64
from random import Random
from typing import Final

from pod_desktop.simulator.names import CITIES

# occasion: language: subjects
SUBJECTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "work": {
        "en": ("Re: minutes of {date}", "Quarterly report {n}", "Lunch on {date}?", "Fwd: contract draft v{n}", "Re: Re: pump {n} out of order", "Travel to {city}", "Question about order {n}", "Offer {n} for {company}", "Photos from {city} 📷"),
        "de": ("AW: Protokoll vom {date}", "Angebot Nr. {n}", "Rückfrage zur Lieferung {n}", "Änderung der Öffnungszeiten", "WG: Prüfbericht {n}", "Grüße aus {city}"),
        "fr": ("RE: compte rendu du {date}", "Devis n° {n} — à valider", "Réunion à {city} reportée", "Pièces jointes manquantes", "TR: relevé {n}"),
        "es": ("RE: acta del {date}", "Pedido n.º {n} — confirmación", "Reunión mañana en {city}", "¿Puedes revisar el informe {n}?"),
        "pt": ("RES: ata de {date}", "Orçamento nº {n}", "Reunião em {city} — atualização", "Dúvida sobre a encomenda {n}"),
        "ja": ("Re: {date}の議事録", "見積書No.{n}の件", "【至急】納期変更のお願い", "会議室の変更について", "ご注文番号{n}のお問い合わせ"),
        "zh": ("回复：{date}会议纪要", "关于订单{n}的问题", "報價單第{n}號", "出差{city}安排"),
        "ko": ("Re: {date} 회의록", "견적서 {n} 송부드립니다", "배송 일정 변경 안내"),
        "ru": ("Re: протокол от {date}", "Счёт № {n}", "Командировка в {city}", "Вопрос по заказу {n}"),
        "ar": ("رد: محضر اجتماع {date}", "عرض سعر رقم {n}", "تأجيل الاجتماع"),
        "he": ("הצעת מחיר {n}", "סיכום פגישה {date}"),
        "hi": ("बैठक का कार्यवृत्त {date}", "ऑर्डर {n} के बारे में"),
    },
    "invoice": {
        "en": ("Invoice {n} due {date}", "Statement {n}", "Remittance advice {money}"),
        "de": ("Rechnung Nr. {n}", "Zahlungserinnerung {money} fällig am {date}"),
        "fr": ("Facture n° {n}", "Échéance du {date} : {money}"),
        "es": ("Factura {n} — {money}",),
        "pt": ("Fatura {n} vence em {date}",),
        "ja": ("請求書No.{n}送付のご案内",),
        "zh": ("发票{n}，金额{money}",),
        "ko": ("세금계산서 {n}",),
        "ru": ("Счёт-фактура {n} на {money}",),
        "ar": ("فاتورة رقم {n}",),
        "he": ("חשבונית {n}",),
        "hi": ("चालान {n}",),
    },
    "spam": {
        "en": ("You won {money}!!!", "Cheap meds, no prescription", "Make {money} a day from home 💰💰", "V1agra -{n}%", "Re: your loan of {money} is approved", "Hot singles in {city}"),
        "de": ("Herzlichen Glückwunsch! {money} warten auf Sie", "Abnehmen ohne Diät: -{n} kg"),
        "es": ("¡Has ganado {money}!",),
        "fr": ("Félicitations ! Vous avez gagné {money}",),
        "ja": ("【当選】{money}を受け取ってください",),
        "zh": ("代开发票，点数优惠，联系{n}", "恭喜您获得{money}"),
        "ru": ("Заработок от {money} в день", "Кредит без отказа {money}"),
        "ko": ("(광고) 대출 {money} 즉시 가능",),
    },
    "phish": {
        "en": ("Your {brand} account is limited", "{brand}: unusual sign-in from {city}", "Action required: {brand} password expires {date}", "{brand} payment of {money} pending"),
        "de": ("Ihr {brand}-Konto wurde eingeschränkt", "{brand}: Bestätigung erforderlich bis {date}"),
        "fr": ("{brand} : votre compte est suspendu", "Votre paiement {brand} de {money} a été refusé"),
        "es": ("{brand}: verifique su cuenta antes del {date}",),
        "pt": ("{brand}: sua conta será bloqueada em {date}",),
        "ja": ("【重要】{brand}アカウントの確認が必要です",),
        "zh": ("{brand}：您的账户存在异常登录",),
        "ru": ("{brand}: подтвердите вход из {city}",),
    },
    "impostor": {
        "en": ("Are you at your desk?", "Quick favour", "Urgent wire {money} today", "Gift cards for the team 🎁", "Change of bank details"),
        "de": ("Kurze Bitte — vertraulich", "Eilige Überweisung {money}"),
        "fr": ("Virement urgent et confidentiel de {money}",),
    },
    "virus": {
        "en": ("Scan_{n}", "Invoice_{n}.zip", "Your order {n} — see attached", "Voicemail from +1 555 01{n}"),
        "de": ("Bewerbung auf Stelle {n}", "Mahnung {n}"),
        "fr": ("Colis {n} en attente",),
    },
    "bounce": {"en": ("Undeliverable: Quarterly report {n}", "Delivery Status Notification (Failure)", "Mail delivery failed: returning message to sender")},
}  # fmt: skip
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def subject(rng: Random, occasion: str, lang: str, **words: str) -> str:
    """A subject for the occasion, in the language where there is one, else in English."""
    by_lang = SUBJECTS[occasion]
    return fill(rng, rng.choice(by_lang.get(lang) or by_lang["en"]), **words)


def fill(rng: Random, template: str, **words: str) -> str:
    number = rng.randrange(2, 90)
    return template.format(
        n=number if "{n}%" in template or "{n} %" in template else number * rng.randrange(1, 1200) + 3,
        date=f"{rng.randrange(1, 29)} {rng.choice(_MONTHS)}",
        city=rng.choice(CITIES),
        money=f"{rng.choice('$€£')}{rng.randrange(9, 9800):,}",
        **words,
    )


# Legacy charsets that mail of these languages still comes in.
_CHARSETS: Final = {
    "ja": ("utf-8", "iso-2022-jp"),
    "ru": ("utf-8", "koi8-r", "windows-1251"),
    "zh": ("utf-8", "gb2312"),
    "ko": ("utf-8", "euc-kr"),
    "de": ("utf-8", "iso-8859-1"),
    "fr": ("utf-8", "iso-8859-1"),
    "he": ("utf-8", "windows-1255"),
    "ar": ("utf-8", "windows-1256"),
}


def encoded(text: str, lang: str = "en", choice: int = 0) -> str:
    """The text as a header carries it: RFC 2047 words, folded, where it is not ASCII.

    choice: any number; picks charset, and Q or B encoding.
    """
    if text.isascii():
        return text
    charsets = _CHARSETS.get(lang, ("utf-8",))
    charset = charsets[choice % len(charsets)]
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    quoted = charset == "iso-8859-1" or (charset == "utf-8" and lang not in _CHARSETS)
    quoted = quoted and bool(choice % 3)
    # A word has at most 75 characters, and no character is cut in two (RFC 2047, sections 2 and 5).
    width = (20 if quoted else 42) // _most_bytes(text, charset)
    words = [text[at : at + width].encode(charset) for at in range(0, len(text), width)]
    if quoted:
        return "\r\n ".join(f"=?{charset}?Q?{_quoted(word)}?=" for word in words)
    return "\r\n ".join(f"=?{charset}?B?{base64.b64encode(word).decode()}?=" for word in words)


def _most_bytes(text: str, charset: str) -> int:
    """The most bytes that one character of the text takes; escapes of iso-2022-jp included."""
    if charset != "utf-8":
        return 3 if charset == "iso-2022-jp" else 2
    widest = max(text)
    return 4 if widest > "\uffff" else 3 if widest > "\u07ff" else 2


_SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def _quoted(word: bytes) -> str:
    return "".join("_" if byte == 32 else chr(byte) if byte in _SAFE else f"={byte:02X}" for byte in word)
