"""
Numbers of persons and taxpayers in many countries, by python-stdnum's arithmetic.

Most are digits with one check digit, which one number in ten has by chance. So a form
that others share needs a word beside it.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple

from bridge.leaving.findings import Confidence
from policy.dlp.detector import Detector, Valid, compact


class _Kind(NamedTuple):
    name: str
    module: str
    title: str
    pattern: str
    words: tuple[str, ...]
    alone: bool = False  # whether its form is rare enough to count without a word
    group: str = "identity"


_D = "[0-9]"
_KINDS: Sequence[_Kind] = (
    _Kind("at_vnr", "at.vnr", "Austrian social insurance number", rf"{_D}{{4}} ?{_D}{{6}}", ("svnr", "sozialversicherung", "versicherungsnummer")),
    _Kind("au_tfn", "au.tfn", "Australian tax file number", rf"{_D}{{3}} ?{_D}{{3}} ?{_D}{{2,3}}", ("tfn", "tax file"), group="tax"),
    _Kind("be_nn", "be.nn", "Belgian national number", rf"{_D}{{2}}\.?{_D}{{2}}\.?{_D}{{2}}-?{_D}{{3}}\.?{_D}{{2}}", ("rijksregister", "national number", "registre national", "insz", "niss")),
    _Kind("bg_egn", "bg.egn", "Bulgarian personal number", rf"{_D}{{10}}", ("egn", "егн")),
    _Kind("br_cpf", "br.cpf", "Brazilian CPF", rf"{_D}{{3}}\.?{_D}{{3}}\.?{_D}{{3}}-?{_D}{{2}}", ("cpf",), group="tax"),
    _Kind("br_cnpj", "br.cnpj", "Brazilian CNPJ", rf"{_D}{{2}}\.?{_D}{{3}}\.?{_D}{{3}}/?{_D}{{4}}-?{_D}{{2}}", ("cnpj",), group="tax"),
    _Kind("ca_sin", "ca.sin", "Canadian social insurance number", rf"{_D}{{3}}[- ]?{_D}{{3}}[- ]?{_D}{{3}}", ("sin", "social insurance", "nas")),
    _Kind("ca_bc_phn", "ca.bc_phn", "health number of British Columbia", rf"9{_D}{{3}} ?{_D}{{3}} ?{_D}{{3}}", ("phn", "health number"), group="health"),
    _Kind("ch_ahv", "ch.ssn", "Swiss AHV number", rf"756\.?{_D}{{4}}\.?{_D}{{4}}\.?{_D}{{2}}", ("ahv", "avs"), alone=True),
    _Kind("cn_ric", "cn.ric", "Chinese resident identity", rf"{_D}{{17}}[0-9Xx]", ("身份证", "resident", "identity"), alone=True),
    _Kind("cz_rc", "cz.rc", "Czech or Slovak birth number", rf"{_D}{{6}}/{_D}{{3,4}}", ("rodné číslo", "rodne cislo", "rč")),
    _Kind("de_idnr", "de.idnr", "German tax identification number", rf"{_D}{{2}} ?{_D}{{3}} ?{_D}{{3}} ?{_D}{{3}}", ("steuer-id", "idnr", "steuerid", "steueridentifikationsnummer", "tax id", "tin"), group="tax"),
    _Kind("dk_cpr", "dk.cpr", "Danish CPR number", rf"{_D}{{6}}-?{_D}{{4}}", ("cpr", "personnummer")),
    _Kind("ee_ik", "ee.ik", "Estonian personal code", rf"[1-6]{_D}{{10}}", ("isikukood", "personal code")),
    _Kind("es_dni", "es.dni", "Spanish DNI", rf"{_D}{{8}}-?[A-Za-z]", ("dni", "nif", "documento"), alone=True),
    _Kind("es_nie", "es.nie", "Spanish NIE", rf"[XYZxyz]-?{_D}{{7}}-?[A-Za-z]", ("nie", "extranjero"), alone=True),
    _Kind("fi_hetu", "fi.hetu", "Finnish identity code", rf"{_D}{{6}}[-+A-FU-Y]{_D}{{3}}[0-9A-Y]", ("hetu", "henkilötunnus"), alone=True),
    _Kind("fr_nir", "fr.nir", "French NIR", rf"[1278] ?{_D}{{2}} ?{_D}{{2}} ?{_D}[0-9AB] ?{_D}{{3}} ?{_D}{{3}} ?{_D}{{2}}", ("nir", "sécurité sociale", "securite sociale", "insee"), alone=True),
    _Kind("gb_utr", "gb.utr", "UK taxpayer reference", rf"{_D}{{5}} ?{_D}{{5}}", ("utr", "taxpayer reference"), group="tax"),
    _Kind("gr_amka", "gr.amka", "Greek AMKA", rf"{_D}{{11}}", ("amka", "αμκα")),
    _Kind("hr_oib", "hr.oib", "Croatian OIB", rf"{_D}{{11}}", ("oib",)),
    _Kind("ie_pps", "ie.pps", "Irish PPS number", rf"{_D}{{7}}[A-Wa-w][A-IWa-iw]?", ("pps", "ppsn"), alone=True),
    _Kind("il_idnr", "il.idnr", "Israeli identity number", rf"{_D}{{9}}", ("teudat", "תעודת זהות", "israeli id")),
    _Kind("in_aadhaar", "in_.aadhaar", "Aadhaar", rf"[2-9]{_D}{{3}}[ -]?{_D}{{4}}[ -]?{_D}{{4}}", ("aadhaar", "aadhar", "uidai")),
    _Kind("in_pan", "in_.pan", "Indian PAN", rf"[A-Z]{{3}}[ABCFGHLJPT][A-Z]{_D}{{4}}[A-Z]", ("pan", "income tax"), group="tax"),
    _Kind("it_codice_fiscale", "it.codicefiscale", "Italian codice fiscale", r"[A-Za-z]{6}[0-9LMNPQRSTUVlmnpqrstuv]{2}[A-Ea-eHhLlMmPpR-Tr-t][0-9LMNPQRSTUVlmnpqrstuv]{2}[A-Za-z][0-9LMNPQRSTUVlmnpqrstuv]{3}[A-Za-z]", ("codice fiscale", "cf"), alone=True),
    _Kind("kr_rrn", "kr.rrn", "Korean resident number", rf"{_D}{{6}}-?{_D}{{7}}", ("rrn", "주민등록번호"), alone=True),
    _Kind("lt_asmens", "lt.asmens", "Lithuanian personal code", rf"[3-6]{_D}{{10}}", ("asmens kodas",)),
    _Kind("mx_curp", "mx.curp", "Mexican CURP", rf"[A-Z]{{4}}{_D}{{6}}[HMX][A-Z]{{5}}[0-9A-Z]{_D}", ("curp",), alone=True),
    _Kind("my_nric", "my.nric", "Malaysian NRIC", rf"{_D}{{6}}-{_D}{{2}}-{_D}{{4}}", ("nric", "mykad")),
    _Kind("nl_bsn", "nl.bsn", "Dutch BSN", rf"{_D}{{4}}\.?{_D}{{2}}\.?{_D}{{3}}", ("bsn", "burgerservicenummer", "sofinummer")),
    _Kind("no_fodselsnummer", "no.fodselsnummer", "Norwegian identity number", rf"{_D}{{6}} ?{_D}{{5}}", ("fødselsnummer", "fodselsnummer", "personnummer")),
    _Kind("nz_ird", "nz.ird", "New Zealand IRD number", rf"{_D}{{2,3}}-?{_D}{{3}}-?{_D}{{3}}", ("ird", "inland revenue"), group="tax"),
    _Kind("pl_pesel", "pl.pesel", "Polish PESEL", rf"{_D}{{11}}", ("pesel",)),
    _Kind("pt_nif", "pt.nif", "Portuguese NIF", rf"{_D}{{9}}", ("nif", "contribuinte"), group="tax"),
    _Kind("ro_cnp", "ro.cnp", "Romanian CNP", rf"[1-9]{_D}{{12}}", ("cnp", "cod numeric personal")),
    _Kind("se_personnummer", "se.personnummer", "Swedish personal number", rf"(?:{_D}{{2}})?{_D}{{6}}[-+]{_D}{{4}}", ("personnummer", "samordningsnummer"), alone=True),
    _Kind("th_pin", "th.pin", "Thai identity number", rf"{_D}-?{_D}{{4}}-?{_D}{{5}}-?{_D}{{2}}-?{_D}", ("thai id", "บัตรประชาชน")),
    _Kind("tr_tckimlik", "tr.tckimlik", "Turkish identity number", rf"[1-9]{_D}{{10}}", ("kimlik", "tckn")),
    _Kind("us_ein", "us.ein", "US employer identification number", rf"{_D}{{2}}-{_D}{{7}}", ("ein", "employer identification", "fein", "tax id"), group="tax"),
    _Kind("za_idnr", "za.idnr", "South African identity number", rf"{_D}{{6}} ?{_D}{{4}} ?{_D}{{3}}", ("south african id", "id number", "sa id")),
    _Kind("eu_vat", "eu.vat", "European VAT number", r"[A-Z]{2}[0-9A-Z+*]{8,12}", ("vat", "ust-id", "ust-idnr", "uid", "tva", "iva", "btw"), group="tax"),
    _Kind("imei", "imei", "IMEI", rf"{_D}{{2}}-?{_D}{{6}}-?{_D}{{6}}-?{_D}", ("imei", "device"), group="device"),
)  # fmt: skip


def _checked(module: str, *, alone: bool) -> Callable[[str, int, int], Valid | None]:
    is_valid = import_module(f"stdnum.{module}").is_valid
    sure = Confidence.MEDIUM if alone else Confidence.LOW

    def check(text: str, start: int, end: int) -> Valid | None:
        number = text[start:end]
        if len(set(compact(number))) == 1:  # 111111111 fits some arithmetic
            return None
        return Valid(compact(number), sure) if is_valid(number) else None

    return check


def _detector(kind: _Kind) -> Detector:
    pattern = rf"\b(?:{kind.pattern})\b"
    return Detector(
        kind.name,
        kind.group,
        kind.title,
        gate=pattern,
        pattern=pattern,
        check=_checked(kind.module, alone=kind.alone),
        words=kind.words,
        needs_words=not kind.alone,
        outside="number",
    )


NATIONAL = tuple(_detector(kind) for kind in _KINDS)
