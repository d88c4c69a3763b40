"""Make the records of an HR system out of what an operator says of it."""

from collections.abc import Mapping

from aiohttp import ClientSession
from yarl import URL

from bridge.errors import BadInput
from bridge.records.ports import Budget
from connectors.hr import bamboohr, workday
from connectors.hr.employees import Company
from connectors.hr.feed import Feed
from connectors.hr.records import HrRecords
from connectors.rest import Rest

_PAGES = {
    "bamboohr": "employees/employee.php?id={id}",
    "workday": "d/employee/{id}.htmld",
}
_OWN = ("announced", "done", "total")
_BAMBOO = "https://api.bamboohr.com/api/gateway.php"


def made(
    instance: str, url: str, api: str, options: Mapping[str, object], budget: Budget
) -> HrRecords:
    """
    Return the records; whoever gets them closes them.

    `url` is where people see it, `api` where programs ask it, empty for BambooHR's
    usual. `options` has `product` (bamboohr or workday), for BambooHR the `company` if
    `api` is empty, for Workday the `report` as `owner/name`; if wanted `page`, an
    employee's page with `{id}` in it, `hook_key`, and the names of the company's own
    fields for `announced`, `done`, `total`. Raises `BadInput`.
    """
    told = {name: str(value) for name, value in options.items()}
    product = told.get("product", "bamboohr")
    if product not in _PAGES:
        raise BadInput(f"{instance}: product is one of {', '.join(_PAGES)}")
    page = told.get("page") or f"{url.rstrip('/')}/{_PAGES[product]}"
    if page.count("{id}") != 1:
        raise BadInput(f"{instance}: page has {{id}} in it, once")
    company = Company(instance, page, hook_key=told.get("hook_key", ""))
    own = {name: told[name] for name in _OWN if told.get(name)}
    if product == "workday":
        return HrRecords(company, _workday(company, api or url, told, own, budget))
    return HrRecords(company, _bamboohr(company, api, told, own, budget))


def _bamboohr(
    company: Company,
    api: str,
    told: Mapping[str, str],
    own: Mapping[str, str],
    budget: Budget,
) -> Feed:
    name = told.get("company", "")
    if not api and not name.replace("-", "").isalnum():
        raise BadInput(f"{company.instance}: say which company it is at BambooHR")
    base = URL(api or f"{_BAMBOO}/{name}/v1")
    rest = Rest(
        ClientSession(), "BambooHR", base, company.bucket, budget, bamboohr.MANNER
    )
    return bamboohr.BambooHr(rest, company, own)


def _workday(
    company: Company,
    api: str,
    told: Mapping[str, str],
    own: Mapping[str, str],
    budget: Budget,
) -> Feed:
    owner, slash, name = told.get("report", "").partition("/")
    if not (owner and slash and name):
        raise BadInput(f"{company.instance}: say which report it is, as owner/name")
    rest = Rest(
        ClientSession(), "Workday", URL(api), company.bucket, budget, workday.MANNER
    )
    return workday.Workday(rest, company, (owner, name), own)
