"""Domains where anybody may have an address; blocking or safelisting one whole is never meant in a hurry."""

from typing import Final

FREE_MAIL: Final = frozenset(
    """
    126.com 163.com aol.com bk.ru daum.net email.com fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.com gmx.de
    gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr hotmail.it icloud.com inbox.ru
    laposte.net libero.it list.ru live.co.uk live.com live.de live.fr mac.com mail.com mail.de mail.ru me.com msn.com
    naver.com o2.pl onet.pl orange.fr outlook.com outlook.de outlook.fr outlook.jp pm.me proton.me protonmail.ch
    protonmail.com qq.com rediffmail.com rocketmail.com seznam.cz sfr.fr sina.com sohu.com t-online.de tiscali.it
    tuta.com tutanota.com ukr.net virgilio.it wanadoo.fr web.de wp.pl yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk
    yahoo.com yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru ymail.com zoho.com
    """.split()
)
