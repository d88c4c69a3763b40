"""
Salesforce as a system of records, through simple-salesforce behind `connectors.guarded`.

Kinds are `account`, `contact`, `opportunity` and `case`. What policies decide on is a
field's class; everything that is not named here is public:

* `finance`: amounts and forecasts of opportunities, an account's revenue and credit
* `personal`: a contact's e-mail and telephone numbers, and who a case's contact is
* `confidential`: competitors

People say a case's number as `CS-00001026`: the org's own `CaseNumber` is the part
after the dash, eight digits in an org's standard setup. Source of the REST API:
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/
"""

from connectors.salesforce.system import Salesforce, Setup

__all__ = ["Salesforce", "Setup"]
