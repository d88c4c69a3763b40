"""Numbers of many countries; all are published examples of python-stdnum's pages."""

import pytest

from policy.dlp.catalogue import detectors
from policy.dlp.detector import Detector
from policy.dlp.national import NATIONAL
from policy.dlp.scanner import Scanner

SCANNER = Scanner(detectors())
_EXAMPLES = {
    "at_vnr": "1237 010180",
    "au_tfn": "123 456 782",
    "be_nn": "85.07.30-033.28",
    "bg_egn": "7523169263",
    "br_cpf": "390.533.447-05",
    "br_cnpj": "16.727.230/0001-97",
    "ca_sin": "123-456-782",
    "ca_bc_phn": "9698 658 215",
    "ch_ahv": "756.9217.0769.85",
    "cn_ric": "360426199101010071",
    "cz_rc": "710319/2745",
    "de_idnr": "36 574 261 809",
    "dk_cpr": "211062-5629",
    "ee_ik": "36805280109",
    "es_dni": "54362315-K",
    "es_nie": "x-2482300w",
    "fi_hetu": "131052-308T",
    "fr_nir": "2 95 10 99 126 111 93",
    "gr_amka": "01013099997",
    "hr_oib": "33392005961",
    "ie_pps": "6433435F",
    "il_idnr": "039337423",
    "in_aadhaar": "2341 2341 2346",
    "in_pan": "ACUPA7085R",
    "it_codice_fiscale": "RCCMNL83S18D969H",
    "kr_rrn": "971013-9019902",
    "lt_asmens": "33309240064",
    "mx_curp": "BOXW310820HNERXN09",
    "my_nric": "770305-02-1234",
    "nl_bsn": "1112.22.333",
    "no_fodselsnummer": "151086 95088",
    "nz_ird": "49-091-850",
    "pl_pesel": "44051401359",
    "pt_nif": "501964843",
    "ro_cnp": "1630615123457",
    "se_personnummer": "880320-0016",
    "th_pin": "1-2345-45678-78-1",
    "tr_tckimlik": "17291716060",
    "us_ein": "91-1144442",
    "za_idnr": "750330 5044 089",
    "eu_vat": "DE136695976",
    "imei": "35-686800-004141-8",
    "gb_utr": "19558 39661",
}


@pytest.mark.parametrize("detector", NATIONAL, ids=lambda each: each.name)
def test_a_published_number_is_found_beside_its_word(detector: Detector) -> None:
    number = _EXAMPLES[detector.name]

    found = SCANNER.scan(f"{detector.words[0]}: {number}.", b"k").findings

    assert detector.name in {finding.detector for finding in found}


@pytest.mark.parametrize("detector", NATIONAL, ids=lambda each: each.name)
def test_another_check_digit_is_refused(detector: Detector) -> None:
    number = _EXAMPLES[detector.name]
    place = max(n for n, c in enumerate(number) if c.isdigit())
    changed = [number[:place] + d + number[place + 1 :] for d in "0123456789"]

    holding = [
        each
        for each in changed
        if any(
            f.detector == detector.name
            for f in SCANNER.scan(f"{detector.words[0]}: {each}.", b"k").findings
        )
    ]

    # An employer's number has no check digit, a NRIC and a CURP's stem little of one.
    weak = {"dk_cpr", "us_ein", "my_nric", "in_pan", "es_dni", "es_nie"}
    assert number in holding
    assert len(holding) <= (10 if detector.name in weak else 3)
