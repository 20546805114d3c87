"""Fill the template database of the Odoo test peer. Run by `odoo shell`, which gives `env`.

Adds what no web page needs to be clicked for: the panel's API user and its key, a user whose key may not see leads,
a key of the administrator by which tests prepare what a salesperson would type, and a handful of customers. Numbers
stand there in the spellings that people really type, because a lookup that works on tidy numbers only is the failure
that this peer is for.

Every person, company, number, address, key and password is invented. They protect nothing.
"""

import json
import os

# name -> fields. The country of the company is Brazil, by which Odoo brings a national number into E.164.
PARTNERS = {
    'Maria da Silva': {'phone': '(11) 98765-4321', 'email': 'maria.silva@example.com'},
    'João Souza': {'phone': '+55 21 91234-5678', 'email': 'joao@example.com', 'company_name': 'Souza ME'},
    # Two customers behind one switchboard, one of whom works for the other.
    'Padaria Estrela Ltda': {'phone': '11 4002-8922', 'is_company': True},
    'Carla Dias': {'phone': '+55 (11) 4002.8922', 'parent': 'Padaria Estrela Ltda'},
    # A mobile number from before the ninth digit.
    'Pedro Rocha': {'phone': '+55 11 7654-3210'},
    # With the trunk prefix and a carrier.
    'Ana Lima': {'phone': '0 15 31 3456-7890'},
    # Lives abroad, by whose rules it is no number: Odoo makes no E.164 of it.
    'Teo Smith': {'phone': '11.3333.4444', 'country': 'base.us'},
    # Nobody's number: whoever asks for an empty number gets everybody like this.
    'Rui Semnumero': {'email': 'rui@example.com'},
    # Archived, not deleted.
    'Bruno Nunes': {'phone': '+5511955554444', 'active': False},
}

# (partner, name, stage, revenue)
LEADS = [
    ('Maria da Silva', 'Plano anual', 'crm.stage_lead1', 1200.0),
    ('Maria da Silva', 'Segunda linha', 'crm.stage_lead3', 480.5),
    ('Maria da Silva', 'Plano mensal', 'crm.stage_lead4', 99.9),
    ('João Souza', 'Aparelho', 'crm.stage_lead1', 2500.0),
]

GROUPS = ['base.group_user', 'base.group_partner_manager', 'sales_team.group_sale_salesman_all_leads']


def user(name, login, groups):
    return env['res.users'].with_context(no_reset_password=True).create({  # noqa: F821
        'name': name, 'login': login, 'email': '%s@example.invalid' % login,
        'group_ids': [(6, 0, [env.ref(group).id for group in groups])]})  # noqa: F821


def key(of):
    # Without an end: the template is older than any test that uses it.
    return env['res.users.apikeys'].with_user(of).sudo()._generate('rpc', 'tests', None)  # noqa: F821


def main():
    env.company.write({'country_id': env.ref('base.br').id, 'name': 'Loja Exemplo Ltda'})  # noqa: F821
    env.company.currency_id = env.ref('base.BRL')  # noqa: F821
    env.ref('base.BRL').active = True  # noqa: F821
    panel = user('Telephony panel', 'panel', GROUPS)
    without_sales = user('Telephony panel without sales', 'panel-without-sales', GROUPS[:2])
    seller = user('Vera Vendedora', 'vera', GROUPS)
    # A customer with access to the portal is a user too.
    user('Paulo Portal', 'paulo', ['base.group_portal'])
    ids = {}
    for name, fields in PARTNERS.items():
        values = {'name': name, **fields}
        parent = values.pop('parent', None)
        if parent:
            values['parent_id'] = ids[parent]
        country = values.pop('country', None)
        if country:
            values['country_id'] = env.ref(country).id  # noqa: F821
        ids[name] = env['res.partner'].create(values).id  # noqa: F821
    leads = []
    for partner, name, stage, revenue in LEADS:
        lead = env['crm.lead'].create({  # noqa: F821
            'name': name, 'type': 'opportunity', 'partner_id': ids[partner], 'expected_revenue': revenue,
            'user_id': seller.id})
        lead.stage_id = env.ref(stage)  # noqa: F821
        leads.append(lead)
    # Lost: archived, and of no chance.
    leads[3].action_set_lost()
    admin = env.ref('base.user_admin')  # noqa: F821
    seeds = {
        'database': env.cr.dbname,  # noqa: F821
        'key': key(panel),
        'key_without_sales': key(without_sales),
        'admin_key': key(admin),
        'seller': seller.id,
        'partners': ids,
        'leads': {lead.name: lead.id for lead in leads},
    }
    env.cr.commit()  # noqa: F821
    with open(os.environ['SEEDS'], 'w') as out:
        json.dump(seeds, out, ensure_ascii=False, indent=2)


main()
