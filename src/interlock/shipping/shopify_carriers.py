"""The tracking companies Shopify offers by name (schema type FulfillmentTrackingInfo, field `company`).

A fulfillment may name any other: the field is free text.
"""

from functools import cache

from interlock.shipping.names import key

_EVERYWHERE = """
4PX|AGS|Amazon|Amazon Logistics UK|An Post|Anjun Logistics|APC|Asendia USA|Australia Post|Bonshaw|BPost|
BPost International|Canada Post|Canpar|CDL Last Mile|China Post|Chronopost|Chukou1|Colissimo|Comingle|Coordinadora|
Correios|Correos|CTT|CTT Express|Cyprus Post|Delnext|Deutsche Post|DHL eCommerce|DHL eCommerce Asia|DHL Express|DPD|
DPD Local|DPD UK|DTD Express|DX|Eagle|Estes|Evri|FedEx|First Global Logistics|First Line|FSC|Fulfilla|GLS|
Guangdong Weisuyi Information Technology (WSE)|Heppner Internationale Spedition GmbH & Co.|Iceland Post|IDEX|
Israel Post|Japan Post (EN)|Japan Post (JA)|La Poste Colissimo|La Poste Burkina Faso|Lasership|Latvia Post|
Lietuvos Paštas|Logisters|Lone Star Overnight|M3 Logistics|Meteor Space|Mondial Relay|New Zealand Post|NinjaVan|
North Russia Supply Chain (Shenzhen) Co.|OnTrac|Packeta|Pago Logistics|Ping An Da Tengfei Express|Pitney Bowes|
Portal PostNord|Poste Italiane|PostNL|PostNord DK|PostNord NO|PostNord SE|Purolator|Qxpress|Qyun Express|Royal Mail|
Royal Shipments|Sagawa (EN)|Sagawa (JA)|Sendle|SF Express|SFC Fulfillment|ShipBob|SHREE NANDAN COURIER|Singapore Post|
Southwest Air Cargo|StarTrack|Step Forward Freight|Swiss Post|TForce Final Mile|Tinghao|TNT|Toll IPEC|
United Delivery Service|UPS|USPS|Venipak|We Post|Whistl|Wizmo|WMYC|Xpedigo|XPO Logistics|Yamato (EN)|Yamato (JA)|
YiFan Express|YunExpress
"""

_BY_COUNTRY: dict[str, str] = {
    "AU": "Australia Post|Sendle|Aramex Australia|TNT Australia|Hunter Express|Couriers Please|Bonds|Allied Express|"
    "Direct Couriers|Northline|GO Logistics",
    "AT": "Österreichische Post",
    "BG": "Speedy",
    "CA": "Intelcom|BoxKnight|Loomis|GLS",
    "CN": "China Post|DHL eCommerce Asia|WanbExpress|YunExpress|Anjun Logistics|SFC Fulfillment|FSC",
    "CZ": "Zásilkovna",
    "DE": "Deutsche Post (DE)|Deutsche Post (EN)|DHL|DHL Express|Swiship|Hermes|GLS",
    "ES": "SEUR",
    "FR": "Colissimo|Mondial Relay|Colis Privé|GLS",
    "GB": "Evri|DPD UK|Parcelforce|Yodel|DHL Parcel|Tuffnells",
    "GR": "ACS Courier",
    "HK": "SF Express",
    "IE": "Fastway|DPD Ireland",
    "IN": "DTDC|India Post|Delhivery|Gati KWE|Professional Couriers|XpressBees|Ecom Express|Ekart|Shadowfax|Bluedart",
    "IT": "BRT|GLS Italy",
    "JP": "エコ配|西濃運輸|西濃スーパーエキスプレス|福山通運|日本通運|名鉄運輸|第一貨物",
    "NL": "DHL Parcel|DPD",
    "NO": "Bring",
    "PL": "Inpost",
    "TR": "PTT|Yurtiçi Kargo|Aras Kargo|Sürat Kargo",
    "US": "GLS|Alliance Air Freight|Pilot Freight|LSO|Old Dominion|Pandion|R+L Carriers|Southwest Air Cargo",
    "ZA": "Fastway|Skynet",
}


@cache
def _offered() -> dict[str, tuple[str, tuple[str, ...]]]:
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name in _EVERYWHERE.replace("\n", "").split("|"):
        found[key(name)] = (name, ())
    for country, names in _BY_COUNTRY.items():
        for name in names.split("|"):
            known, countries = found.get(key(name), (name, ()))
            # A name that Shopify offers everywhere says nothing of a country.
            everywhere = key(name) in found and not countries
            found[key(name)] = (known, () if everywhere else (*countries, country))
    return found


def offered_by_shopify(name: str) -> tuple[str, tuple[str, ...]] | None:
    """How Shopify spells this tracking company, and the countries (ISO 3166) whose shops are offered it, none for
    everywhere; None when Shopify does not offer it."""
    return _offered().get(key(name))
